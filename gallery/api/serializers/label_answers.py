"""Answers, questions, quality and evaluations of label sets in JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.api.serializers.images import ImageSerializer
from gallery.api.serializers.label_sets import CategoryFormSerializer, LabelSetChangesSerializer
from gallery.labels.answers import MAX_ANSWERS, Given
from gallery.labels.evaluating import Labelled
from gallery.labels.sorting import MOST_SHOWN, SHOWN
from gallery.models import Change

# --- Answers and questions ----------------------------------------------------------


class GivenSerializer(serializers.Serializer):
    image = serializers.UUIDField()
    category = serializers.CharField(help_text="The id or the name of a category of the set.")
    verdict = serializers.BooleanField(
        allow_null=True, help_text="true: it is of the category; null takes an answer back."
    )

    def to_internal_value(self, data: Any) -> Given:
        return Given(**super().to_internal_value(data))


class AnswersSerializer(serializers.Serializer):
    answers = serializers.ListField(child=GivenSerializer(), help_text=f"At most {MAX_ANSWERS}.")


class AnsweredSerializer(serializers.Serializer):
    undo = serializers.SerializerMethodField(help_text="Where a POST takes them back; or null.")

    def get_undo(self, done: dict[str, Change | None]) -> str | None:
        return undo_address(self, done["change"])


class AskedSerializer(serializers.Serializer):
    image = serializers.UUIDField()
    picture = ImageSerializer()
    probability = serializers.FloatField()
    reason = serializers.ChoiceField(
        ["sample", "uncertain"],
        help_text="`sample`: drawn at random, to measure quality; `uncertain`: near the line.",
    )


class QuestionsSerializer(serializers.Serializer):
    category = serializers.UUIDField(source="category.pk")
    name = serializers.CharField(source="category.name")
    answers = serializers.IntegerField(help_text="Answers to this category so far.")
    results = AskedSerializer(many=True)


# --- Quality ------------------------------------------------------------------------


class EstimateSerializer(serializers.Serializer):
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class BinSerializer(serializers.Serializer):
    predicted = serializers.FloatField(help_text="The mean probability of the answers.")
    observed = EstimateSerializer(help_text="The share of them that is true.")
    count = serializers.IntegerField()


class ThresholdSerializer(serializers.Serializer):
    probability = serializers.FloatField()
    share = serializers.SerializerMethodField(help_text="Of the pictures, those above it.")
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField()

    @extend_schema_field(serializers.FloatField())
    def get_share(self, threshold: Any) -> float:
        return float(threshold.pictures) / max(self.context.get("pool", 1), 1)


class BucketsSerializer(serializers.Serializer):
    sure = serializers.FloatField(allow_null=True, help_text="From this probability on: yes.")
    no = serializers.FloatField(allow_null=True, help_text="Below this probability: no.")
    precision = EstimateSerializer(allow_null=True)


class CategoryQualitySerializer(serializers.Serializer):
    id = serializers.UUIDField(source="category.pk")
    name = serializers.CharField(source="category.name")
    answers = serializers.IntegerField()
    yes = serializers.IntegerField()
    sampled = serializers.IntegerField(help_text="Answers of the random sample.")
    threshold = serializers.FloatField()
    precision = EstimateSerializer(allow_null=True)
    recall = EstimateSerializer(allow_null=True)
    at_least_right = ThresholdSerializer(
        source="right", allow_null=True, help_text="For the wish “at least 95 % right”."
    )
    nearly_all = ThresholdSerializer(
        source="all", allow_null=True, help_text="For the wish “find nearly all” (95 %)."
    )
    buckets = BucketsSerializer(help_text="With a rate of 90 % that holds.")
    histogram = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Pictures of a random part of the library by probability, in 20 bins.",
    )


class QualitySerializer(serializers.Serializer):
    answers = serializers.IntegerField()
    calibration_error = serializers.FloatField(allow_null=True)
    brier = serializers.FloatField(allow_null=True)
    before = serializers.DictField(
        child=serializers.FloatField(), help_text="The same without what was learned."
    )
    reliability = BinSerializer(many=True)
    categories = CategoryQualitySerializer(many=True)


class DoubtSerializer(serializers.Serializer):
    image = serializers.UUIDField()
    category = serializers.UUIDField(source="category.pk")
    name = serializers.CharField(source="category.name")
    verdict = serializers.BooleanField(help_text="What was answered.")
    probability = serializers.FloatField(help_text="That of the category without this answer.")


class DoubtsSerializer(serializers.Serializer):
    results = DoubtSerializer(many=True)


# --- Evaluation ---------------------------------------------------------------------


class LabelledSerializer(serializers.Serializer):
    image = serializers.CharField(help_text="The id of a picture, or the file name of your own.")
    category = serializers.CharField(
        allow_blank=True, allow_null=True, help_text="Empty: none of the set."
    )

    def to_internal_value(self, data: Any) -> Labelled:
        found = super().to_internal_value(data)
        return Labelled(found["image"], found["category"] or "")


class EvaluateSerializer(serializers.Serializer):
    labels = serializers.ListField(child=LabelledSerializer(), required=False)
    file = serializers.FileField(
        required=False,
        allow_empty_file=True,
        help_text="Or, in a form, a CSV file with the columns image (or file) and category.",
    )


class ClassQualitySerializer(serializers.Serializer):
    name = serializers.SerializerMethodField(help_text="Empty: none of the set.")
    pictures = serializers.SerializerMethodField()
    precision = serializers.SerializerMethodField()
    recall = serializers.SerializerMethodField()

    def get_name(self, row: Any) -> str:
        return str(row[0])

    def get_pictures(self, row: Any) -> int:
        return int(row[1].answers)

    @extend_schema_field(EstimateSerializer(allow_null=True))
    def get_precision(self, row: Any) -> Any:
        return row[1].precision and EstimateSerializer(row[1].precision).data

    @extend_schema_field(EstimateSerializer(allow_null=True))
    def get_recall(self, row: Any) -> Any:
        return row[1].recall and EstimateSerializer(row[1].recall).data


class EvaluationSerializer(serializers.Serializer):
    pictures = serializers.IntegerField()
    left_out = serializers.IntegerField(help_text="Not there, not yours to see, or not encoded.")
    accuracy = EstimateSerializer()
    likeliest = EstimateSerializer(help_text="The accuracy if “none” is never an answer.")
    calibration_error = serializers.FloatField()
    brier = serializers.FloatField()
    reliability = BinSerializer(many=True)
    classes = ClassQualitySerializer(many=True)
    confusion = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="Rows: true category, columns: label, in the order of `classes`.",
    )


# --- Sorting at once ------------------------------------------------------------------


class SortSerializer(LabelSetChangesSerializer):
    name = thresholds = None  # type: ignore[assignment]  # nothing is kept
    categories = serializers.ListField(
        child=CategoryFormSerializer(), help_text="Each is an object or just a name."
    )
    filters = serializers.DictField(required=False, help_text="As in the query of `images/`.")
    shown = serializers.IntegerField(
        default=SHOWN, min_value=0, max_value=MOST_SHOWN, help_text="Pictures of each category."
    )


class HeapSerializer(serializers.Serializer):
    name = serializers.CharField()
    count = serializers.IntegerField()
    images = serializers.ListField(child=serializers.UUIDField(), help_text="The surest first.")


class SortedSerializer(serializers.Serializer):
    pictures = serializers.IntegerField()
    without = serializers.IntegerField(
        allow_null=True, help_text="Pictures of no category; null with `any`."
    )
    categories = HeapSerializer(many=True, source="heaps")


# --- Files and facets -----------------------------------------------------------------


class ImportSerializer(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True, help_text="JSON or CSV, at most 2 MB.")
    name = serializers.CharField(
        required=False, help_text="Instead of the name in the file. A CSV file has none."
    )
    site = serializers.BooleanField(default=False)


class ReadySerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    mode = serializers.CharField(source="definition.mode")
    categories = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_categories(self, ready: Any) -> list[str]:
        return [form.name for form in ready.definition.categories]


class ReadyKeySerializer(serializers.Serializer):
    key = serializers.CharField(help_text="Of one of the ready sets.")


class CategoryCountSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="category.pk")
    name = serializers.CharField(source="category.name")
    names = serializers.DictField(child=serializers.CharField(), source="category.names")
    label_set = serializers.UUIDField(source="category.label_set_id")
    count = serializers.IntegerField()
