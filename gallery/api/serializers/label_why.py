"""Why a picture has a label, in JSON."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.labels.why import Neighbour, Why


class NeighbourSerializer(serializers.Serializer[Neighbour]):
    image = serializers.UUIDField()
    similarity = serializers.FloatField(help_text="The cosine of both pictures.")
    said = serializers.CharField(
        help_text="The other category that people gave it, where categories exclude each other."
    )


class WhySerializer(serializers.Serializer[Why]):
    label_set = serializers.UUIDField(source="category.label_set_id")
    category = serializers.CharField(source="category.name")
    category_id = serializers.UUIDField(source="category.pk")
    probability = serializers.SerializerMethodField(
        help_text="Of the machine's label; null: there is none."
    )
    verdict = serializers.SerializerMethodField(
        help_text="What a person said of this picture; null: nothing."
    )
    answered_at = serializers.DateTimeField(source="answer.at", allow_null=True, default=None)
    version = serializers.IntegerField(
        allow_null=True, help_text="The version of the set that gave the label."
    )
    space = serializers.CharField(help_text="The embedding space of the label; or empty.")
    learned_from = serializers.IntegerField(
        allow_null=True, help_text="How many answers that version had learned from."
    )
    labelled_at = serializers.DateTimeField(
        allow_null=True, help_text="When the labels were applied."
    )
    yes = NeighbourSerializer(
        many=True, help_text="The most similar pictures with a yes, the nearest first."
    )
    no = NeighbourSerializer(
        many=True, help_text="The most similar pictures with a no, or with another category."
    )

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_probability(self, why: Why) -> float | None:
        return None if why.label is None else why.label.probability

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_verdict(self, why: Why) -> bool | None:
        return None if why.answer is None else why.answer.verdict
