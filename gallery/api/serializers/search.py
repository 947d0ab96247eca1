from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from gallery.api.serializers.images import ImageSerializer
from gallery.search.service import DEFAULT_LIMIT, MAX_LIMIT


class PictureSerializer(serializers.Serializer):
    """A picture that is only looked at, not kept."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP."
    )


class SearchPictureSerializer(PictureSerializer):
    """A picture to search with, which is not kept."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="Results on a page."
    )


class HitSerializer(serializers.Serializer):
    image = ImageSerializer()
    score = serializers.FloatField(help_text="Cosine with the query, from -1 to 1.")


class ImageIdSerializer(serializers.Serializer):
    id = serializers.UUIDField()


@extend_schema_serializer(many=False)
class ResultsSerializer(serializers.Serializer):
    """One page of a search, best first."""

    results = HitSerializer(many=True)
    exact = serializers.BooleanField(
        help_text="Whether every picture was compared (else an approximate index was used)."
    )
    space = serializers.CharField(help_text="The name of the embedding space.")
    next = serializers.URLField(allow_null=True, help_text="The next page; null on the last one.")
    took_ms = serializers.DictField(child=serializers.FloatField())
    exact_copies = ImageIdSerializer(
        many=True,
        help_text="Pictures with the very bytes of the query picture; empty for words.",
    )
