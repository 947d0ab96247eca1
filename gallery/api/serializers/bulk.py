"""One action on many pictures, in JSON."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers

from gallery.api.serializers.selection import SelectionSerializer, tag_names
from gallery.models import Change, Image
from gallery.organising.bulk import ACTIONS, Outcome


class BulkSerializer(SelectionSerializer):
    action = serializers.ChoiceField(sorted(ACTIONS))
    album = serializers.UUIDField(
        required=False, help_text="For `add_to_album` and `remove_from_album`."
    )
    tags = tag_names(required=False, help_text="For `add_tags` and `remove_tags`.")
    visibility = serializers.ChoiceField(
        Image.Visibility.choices, required=False, help_text="For `set_visibility`."
    )


class OutcomeSerializer(serializers.Serializer[Outcome]):
    matched = serializers.IntegerField(help_text="Pictures in the selection.")
    changed = serializers.IntegerField(help_text="Pictures that changed.")
    skipped = serializers.IntegerField(help_text="Pictures that you may not change this way.")
    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, for 30 days; null if nothing changed."
    )

    def get_undo(self, outcome: Outcome) -> str | None:
        return undo_address(self, outcome.undo)


def undo_address(serializer: serializers.BaseSerializer, change: Change | None) -> str | None:
    if change is None:
        return None
    address = reverse("api:change-undo", args=[change.pk])
    return str(serializer.context["request"].build_absolute_uri(address))


class UndoneSerializer(serializers.Serializer):
    restored = serializers.IntegerField(help_text="Pictures with their former values again.")
