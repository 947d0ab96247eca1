from __future__ import annotations

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from gallery.api.serializers.images import ImageSerializer
from gallery.api.serializers.prepared import PreparedSerializer
from gallery.search.query.query import MAX_TERM_CHARACTERS, MAX_TERMS, MAX_WEIGHT
from gallery.search.relevance.relevance import Fit
from gallery.search.service import DEFAULT_LIMIT, MAX_LIMIT, MAX_LINE_CHARACTERS

# --- Requests ---------------------------------------------------------------------


class PictureSerializer(serializers.Serializer):
    """A query picture. It is not added to the gallery."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP."
    )


class SearchPictureSerializer(PictureSerializer):
    """A picture to search with. It is not stored."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="Results on a page."
    )


_WEIGHT = {
    "type": "number",
    "minimum": -MAX_WEIGHT,
    "maximum": MAX_WEIGHT,
    "default": 1,
    "description": "How much it counts. Negative: unlike. Not 0.",
}
_CROP = {
    "type": "array",
    "items": {"type": "number", "minimum": 0, "maximum": 1},
    "minItems": 4,
    "maxItems": 4,
    "description": "[left, top, width, height] as shares of the upright picture.",
}


def _term(name: str, description: str, **kind: Any) -> dict[str, Any]:
    crop = {} if name == "text" else {"crop": _CROP}
    return {
        "type": "object",
        "required": [name],
        "additionalProperties": False,
        "properties": {
            name: {"type": "string", "description": description, **kind},
            "weight": _WEIGHT,
            **crop,
        },
    }


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MAX_TERMS,
        "items": {
            "oneOf": [
                _term("text", "The content in words.", maxLength=MAX_TERM_CHARACTERS),
                _term("image", "A picture in the gallery.", format="uuid"),
                _term("upload", "The id of a query picture, from `search/pictures/`."),
            ]
        },
    }
)
class TermsField(serializers.JSONField):
    """Search terms, taken unchanged. gallery.search.query validates them."""


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": True,
        "description": "As in the query of `images/`. Albums also by title.",
    }
)
class FiltersField(serializers.JSONField):
    """Filters, taken unchanged. gallery.search.query validates them."""


class SearchSerializer(serializers.Serializer):
    """Terms that results must be like or unlike, and filters. Without terms, results are all
    pictures that match the filters, newest first. With `cursor`, they are the next page of any
    search."""

    terms = TermsField(required=False)
    filters = FiltersField(required=False)
    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="Results on a page."
    )
    cursor = serializers.CharField(required=False, help_text="Taken from `next`.")
    fold = serializers.BooleanField(
        default=False, help_text="Fold near-duplicates behind the best of them."
    )


class LineSerializer(serializers.Serializer):
    q = serializers.CharField(
        max_length=MAX_LINE_CHARACTERS,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A search in one line.",
    )


# --- Responses --------------------------------------------------------------------


class ImageIdSerializer(PreparedSerializer):
    id = serializers.UUIDField()


class HitSerializer(PreparedSerializer):
    image = ImageSerializer()
    score = serializers.FloatField(
        allow_null=True,
        help_text="Cosine with the query, from -1 to 1; null for a query of filters alone.",
    )
    fit = serializers.ChoiceField(
        choices=get_args(Fit),
        allow_null=True,
        help_text="The score as a word; null if too little is known.",
    )
    share = serializers.FloatField(
        help_text="The probability that the picture fits the query, from 0 to 1."
    )
    by_words = serializers.BooleanField(
        help_text="Title, description, tags or file name have the words of the query."
    )
    similar = ImageIdSerializer(
        many=True, help_text="Near-duplicates folded behind it, with `fold`."
    )


class NoteSerializer(PreparedSerializer):
    code = serializers.CharField()
    message = serializers.CharField()
    as_typed = serializers.CharField(
        help_text="The line that searches for the words as they stand, if they were read in "
        "another way; else empty."
    )


@extend_schema_serializer(many=False)
class ResultsSerializer(PreparedSerializer):
    """One page of search results, best first."""

    results = HitSerializer(many=True)
    exact = serializers.BooleanField(
        help_text="Whether every picture was compared (else an approximate index was used)."
    )
    space = serializers.CharField(help_text="The name of the embedding space.")
    next = serializers.URLField(allow_null=True, help_text="The next page; null on the last one.")
    took_ms = serializers.DictField(child=serializers.FloatField())
    exact_copies = ImageIdSerializer(
        many=True,
        help_text="Pictures with the same bytes as a query picture; empty for words.",
    )
    query = serializers.CharField(
        help_text="The query in one line, for `q`; empty for a picture that is not stored."
    )
    line = serializers.FloatField(
        allow_null=True,
        help_text="The relevance line, the lowest score of a match; null if too little is known.",
    )
    fused = serializers.BooleanField(
        help_text="Whether pictures with the words of the query rank higher than by their "
        "scores alone."
    )
    notes = NoteSerializer(many=True, help_text="Hints about the query and the results.")


class QueryPictureSerializer(serializers.Serializer):
    id = serializers.CharField(help_text="For `upload` in a term, valid for an hour.")


class ParsedSerializer(serializers.Serializer):
    """A search line as the JSON that `search/` takes, and in its canonical form."""

    terms = TermsField()
    filters = FiltersField()
    text = serializers.CharField()
    notes = NoteSerializer(many=True)


class SuggestionSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["key", "value"])
    insert = serializers.CharField(source="label", help_text="The inserted text.")
    detail = serializers.CharField()
    text = serializers.CharField(help_text="The line after accepting this suggestion.")
    at = serializers.IntegerField(help_text="The position of the cursor after that.")
    start = serializers.IntegerField(help_text="The first character that it replaces.")
    end = serializers.IntegerField(help_text="The end of the replaced characters, not included.")


class SuggestionsSerializer(serializers.Serializer):
    suggestions = SuggestionSerializer(many=True)
