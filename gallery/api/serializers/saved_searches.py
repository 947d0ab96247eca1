"""Saved searches and the search history as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.models import Change, SavedSearch, SearchRecord
from gallery.organising import saved_searches
from gallery.search.query import syntax
from gallery.search.query.query import Query

_QUERY_SCHEMA = {
    "type": "object",
    "description": "As `POST search/` takes it.",
    "properties": {
        "terms": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        "filters": {"type": "object", "additionalProperties": True},
    },
}


@extend_schema_field(_QUERY_SCHEMA)
class QueryField(serializers.Field):
    """Terms and filters. gallery.search.query validates them."""

    def to_internal_value(self, data: Any) -> Query:
        return Query.from_json(data)

    def to_representation(self, value: Any) -> Any:
        return value


class SavedSearchSerializer(serializers.ModelSerializer):
    query = QueryField(read_only=True)
    text = serializers.SerializerMethodField(help_text="The query in one line, for `?q=`.")
    album = serializers.UUIDField(
        source="album_id", allow_null=True, help_text="The album that it fills, or null."
    )
    filled_at = serializers.DateTimeField(
        allow_null=True, help_text="When that album was last filled."
    )

    class Meta:
        model = SavedSearch
        fields = [
            "id",
            "name",
            "query",
            "text",
            "album",
            "filled_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_text(self, saved: SavedSearch) -> str:
        return syntax.format(saved_searches.query_of(saved))


class SavedSearchChangesSerializer(serializers.Serializer):
    """A name and a query. The query is either JSON in `query` or one line in `text`."""

    name = serializers.CharField(required=False)
    query = QueryField(required=False)
    text = serializers.CharField(required=False, help_text="The query in one line.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "query" in attrs and "text" in attrs:
            raise serializers.ValidationError({"text": _one_of_both()})
        if "text" in attrs:
            attrs["query"] = syntax.parse(attrs.pop("text")).query
        return attrs


class NewSavedSearchSerializer(SavedSearchChangesSerializer):
    name = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "query" not in attrs:
            raise serializers.ValidationError({"query": _one_of_both()})
        return attrs


def _one_of_both() -> str:
    return _("Give the query as “query” or as “text”.")


class UndoSerializer(serializers.Serializer):
    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, or null."
    )

    def get_undo(self, done: dict[str, Change | None]) -> str | None:
        return undo_address(self, done["change"])


class SearchRecordSerializer(serializers.ModelSerializer):
    class Meta:
        model = SearchRecord
        fields = ["id", "text", "searched_at"]
        read_only_fields = fields
