"""Label sets and labels in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.labels import sets, templates
from gallery.labels.definition import MAX_CATEGORIES, CategoryForm
from gallery.labels.previewing import CategoryChange, Preview
from gallery.labels.reading import Shown
from gallery.models import Category, Change, LabelJob, LabelSet, LabelSetVersion


@extend_schema_field(
    {
        "oneOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "string", "enum": [templates.ENSEMBLE]},
        ]
    }
)
class TemplatesField(serializers.ListField):
    """A list of templates, or the word for the ensemble."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value([data] if data == templates.ENSEMBLE else data)

    def to_representation(self, data: Any) -> Any:
        return templates.shown(data)


# --- Requests ---------------------------------------------------------------------


class CategoryFormSerializer(serializers.Serializer):
    """A category as it is written. gallery.labels.definition cleans it."""

    id = serializers.UUIDField(
        required=False, help_text="Of an existing category: it keeps its answers when renamed."
    )
    name = serializers.CharField(allow_blank=True)
    names = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text='Names in other languages, as `{"zh-hans": "狗"}`.',
    )
    prompts = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="Texts in place of the templates; `{}` stands for the name.",
    )
    parent = serializers.CharField(  # type: ignore[assignment]  # the base uses this name
        required=False,
        allow_blank=True,
        help_text="The name of another category. Its filter finds this one's pictures, too.",
    )

    def to_internal_value(self, data: Any) -> CategoryForm:
        return CategoryForm(**super().to_internal_value(data))


class LabelSetChangesSerializer(serializers.Serializer):
    name = serializers.CharField(required=False, allow_blank=True)
    mode = serializers.ChoiceField(
        LabelSetVersion.Mode.values,
        required=False,
        help_text="`one`: one of these; `any`: each yes or no.",
    )
    none_of_these = serializers.BooleanField(
        required=False, help_text="With `one`: a picture may be of no category."
    )
    templates = TemplatesField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="Sentences with `{}` in the name's place. None: the usual one of its script; "
        f"`{templates.ENSEMBLE}`: many, in the language of the name.",
    )
    categories = serializers.ListField(
        child=CategoryFormSerializer(),
        required=False,
        help_text=f"All categories, at most {MAX_CATEGORIES}. Each is an object or just a name.",
    )
    thresholds = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        required=False,
        help_text="The least probability of labels by category (id or name); null: the usual one.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and isinstance(data.get("categories"), list):
            named = [
                {"name": entry} if isinstance(entry, str) else entry for entry in data["categories"]
            ]
            data = {**data, "categories": named}
        found: dict[str, Any] = super().to_internal_value(data)
        return found


class NewLabelSetSerializer(LabelSetChangesSerializer):
    thresholds = None  # type: ignore[assignment]  # a new set has none
    site = serializers.BooleanField(
        default=False, help_text="For everybody. Only administrators make such sets."
    )
    name = serializers.CharField(allow_blank=True)
    categories = serializers.ListField(
        child=CategoryFormSerializer(), help_text="Each is an object or just a name."
    )


# --- Answers ----------------------------------------------------------------------


class CategorySerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    names = serializers.DictField(child=serializers.CharField())
    prompts = serializers.ListField(child=serializers.CharField())
    parent = serializers.CharField(  # type: ignore[assignment]
        help_text="The name of the category above; or empty."
    )
    threshold = serializers.FloatField(
        allow_null=True, help_text="The least probability of a label; null: the usual one."
    )
    wish = serializers.ChoiceField(
        Category.Wish.values,
        allow_null=True,
        help_text="What the threshold follows: `right`, at least `wish_share` of the labels are "
        "right; `all`, nearly all are found. It is found anew when the set has learned. null: the "
        "threshold is meant as it is.",
    )
    wish_share = serializers.FloatField(allow_null=True)


class LabelSetSerializer(serializers.ModelSerializer[LabelSet]):
    version = serializers.IntegerField(source="version.number")
    mode = serializers.CharField(source="version.mode", help_text="`one` or `any`.")
    none_of_these = serializers.BooleanField(source="version.none_of_these")
    templates = TemplatesField(child=serializers.CharField(), source="version.templates")
    categories = serializers.SerializerMethodField()
    site = serializers.BooleanField(source="is_of_site", help_text="A set for everybody.")
    applied = serializers.SerializerMethodField(
        help_text="The version by which pictures are labelled; null: it was not applied."
    )

    class Meta:
        model = LabelSet
        fields = [
            *("id", "name", "site", "version", "mode", "none_of_these", "templates"),
            *("categories", "applied", "created_at", "updated_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(CategorySerializer(many=True))
    def get_categories(self, label_set: LabelSet) -> list[dict[str, Any]]:
        return list(_categories(label_set))

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_applied(self, label_set: LabelSet) -> int | None:
        job = label_set.applied
        return None if job is None or job.fit is None else job.fit.version.number


class ChangedLabelSetSerializer(LabelSetSerializer):
    undo = serializers.SerializerMethodField(
        help_text="Where a POST restores the former thresholds; null if none was changed."
    )

    class Meta(LabelSetSerializer.Meta):
        fields = [*LabelSetSerializer.Meta.fields, "undo"]
        read_only_fields = fields

    def get_undo(self, label_set: LabelSet) -> str | None:
        return undo_address(self, self.context["change"])


def _categories(label_set: LabelSet) -> Iterator[dict[str, Any]]:
    if label_set.version is None:
        return
    rows = {row.pk: row for row in sets.categories_of(label_set)}
    for entry in label_set.version.categories:
        row = rows.get(UUID(entry["id"])) or Category()
        wished = {"wish": row.wish or None, "wish_share": row.wish_share}
        yield {**entry, "threshold": row.threshold, **wished}


class CategoryChangeSerializer(serializers.Serializer[CategoryChange]):
    id = serializers.UUIDField(source="category.pk")
    name = serializers.CharField(source="category.name")
    count = serializers.IntegerField(help_text="Pictures that will have the label.")
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    kept = serializers.IntegerField()
    add = serializers.ListField(
        child=serializers.UUIDField(), help_text="Some pictures that get it, the surest first."
    )
    remove = serializers.ListField(
        child=serializers.UUIDField(), help_text="Some pictures that lose it."
    )


class PreviewSerializer(serializers.Serializer[Preview]):
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    kept = serializers.IntegerField()
    by_people = serializers.IntegerField(help_text="Labels by answers, which always stay.")
    categories = CategoryChangeSerializer(many=True)


class JobSerializer(serializers.ModelSerializer[LabelJob]):
    error = serializers.SerializerMethodField(help_text="Why it stopped or failed; or empty.")
    version = serializers.SerializerMethodField()

    class Meta:
        model = LabelJob
        fields = [
            *("id", "kind", "state", "done", "total", "added", "removed", "error", "version"),
            *("created_at", "finished_at"),
        ]
        read_only_fields = fields

    def get_error(self, job: LabelJob) -> str:
        return _(job.error) if job.error else ""

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_version(self, job: LabelJob) -> int | None:
        return None if job.fit is None else job.fit.version.number


class AppliedSerializer(serializers.Serializer):
    job = serializers.UUIDField(source="job.pk", help_text="Watch it at `jobs/{job}/`.")
    undo = serializers.SerializerMethodField(help_text="Where a POST takes it back.")

    def get_undo(self, done: dict[str, Change | None]) -> str | None:
        return undo_address(self, done["change"])


class LabelSerializer(serializers.Serializer[Shown]):
    label_set = serializers.UUIDField(source="category.label_set_id")
    label_set_name = serializers.CharField(source="category.label_set.name")
    category = serializers.CharField(source="category.name")
    category_id = serializers.UUIDField(source="category.pk")
    names = serializers.DictField(child=serializers.CharField(), source="category.names")
    probability = serializers.FloatField(help_text="1 for what a person said.")
    source = serializers.SerializerMethodField()  # type: ignore[assignment]  # as above

    @extend_schema_field(serializers.ChoiceField(["machine", "human"]))
    def get_source(self, shown: Shown) -> str:
        return "human" if shown.is_human else "machine"


class LabelsSerializer(serializers.Serializer):
    results = LabelSerializer(many=True)
