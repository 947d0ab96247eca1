"""The selection of pictures in a request, and names of tags, in JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.organising.selection import MAX_EXCEPTIONS, MAX_HITS, MAX_IDS
from gallery.organising.tags import MAX_NAME, MAX_NAMES

_UUID = {"type": "string", "format": "uuid"}
_EXCEPT = {"type": "array", "items": _UUID, "maxItems": MAX_EXCEPTIONS}


@extend_schema_field(
    {
        "description": "Pictures by id, all that filters leave, or the first so many of a search.",
        "oneOf": [
            {
                "type": "object",
                "required": ["ids"],
                "additionalProperties": False,
                "properties": {"ids": {"type": "array", "items": _UUID, "maxItems": MAX_IDS}},
            },
            {
                "type": "object",
                "required": ["all"],
                "additionalProperties": False,
                "properties": {
                    "all": {"type": "boolean", "enum": [True]},
                    "filters": {
                        "type": "object",
                        "description": "As in the query of `images/`; `trash: true`: your trash.",
                    },
                    "except": _EXCEPT,
                },
            },
            {
                "type": "object",
                "required": ["search"],
                "additionalProperties": False,
                "properties": {
                    "search": {
                        "type": "object",
                        "required": ["cursor", "count"],
                        "additionalProperties": False,
                        "properties": {
                            "cursor": {"type": "string", "description": "Of any of its pages."},
                            "count": {"type": "integer", "minimum": 1, "maximum": MAX_HITS},
                        },
                    },
                    "except": _EXCEPT,
                },
            },
        ],
    }
)
class SelectionField(serializers.Field):
    """A selection, taken unchanged. gallery.organising.selection validates it."""

    def to_internal_value(self, data: Any) -> Any:
        return data


def tag_names(**options: Any) -> serializers.ListField:
    """Build a field for tag names as typed. gallery.organising.tags cleans them."""
    return serializers.ListField(
        child=serializers.CharField(max_length=MAX_NAME, allow_blank=True),
        max_length=MAX_NAMES,
        **options,
    )


class SelectionSerializer(serializers.Serializer):
    selection = SelectionField()


class SelectionCountSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="Pictures in the selection.")
    owned = serializers.IntegerField(help_text="Your own pictures among them.")
    bytes = serializers.IntegerField(help_text="The total size of their originals.")
