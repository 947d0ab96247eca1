"""One action on many pictures, in JSON."""

from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.clocks import ClockField
from gallery.api.serializers.selection import SelectionSerializer, tag_names
from gallery.models import Change, Image
from gallery.organising.bulk import ACTIONS, Outcome
from gallery.organising.details_of_many import MOST_SHIFT, MOST_STARS

MOST_SHIFT_SECONDS = int(MOST_SHIFT.total_seconds())


class BulkSerializer(SelectionSerializer):
    action = serializers.ChoiceField(sorted(ACTIONS))
    album = serializers.UUIDField(
        required=False, help_text="For `add_to_album` and `remove_from_album`."
    )
    tags = tag_names(required=False, help_text="For `add_tags` and `remove_tags`.")
    visibility = serializers.ChoiceField(
        Image.Visibility.choices, required=False, help_text="For `set_visibility`."
    )
    rating = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_STARS, help_text="Stars, for `rate`. 0: none."
    )
    title = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="For `set_title`. `{n}` becomes the number of the picture, the earliest first.",
    )
    captured_at = ClockField(
        required=False,
        allow_null=True,
        help_text="For `set_date`: the local time at the place of capture, with its offset. "
        "Without one, a known offset stays. Null: unknown.",
    )
    captured_on = serializers.DateField(
        required=False,
        help_text="For `set_date`, instead of `captured_at`: the day alone. Each picture keeps its "
        "time of day; 12:00 where there was none.",
    )
    shift = serializers.IntegerField(
        required=False,
        min_value=-MOST_SHIFT_SECONDS,
        max_value=MOST_SHIFT_SECONDS,
        help_text="For `shift_date`: seconds to add to the local times.",
    )
    turns = serializers.IntegerField(
        required=False,
        min_value=-3,
        max_value=3,
        help_text="For `rotate`: quarters to the right; -1 is one to the left.",
    )


class DaysSerializer(serializers.Serializer):
    first = serializers.DateField()
    last = serializers.DateField()


class OutcomeSerializer(serializers.Serializer[Outcome]):
    matched = serializers.IntegerField(help_text="Pictures in the selection.")
    changed = serializers.IntegerField(help_text="Pictures that changed.")
    skipped = serializers.IntegerField(help_text="Pictures that you may not change this way.")
    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, for 30 days; null if nothing changed."
    )

    days = serializers.SerializerMethodField(
        help_text="After a change of dates: the days of the changed pictures, at their places."
    )

    def get_undo(self, outcome: Outcome) -> str | None:
        return undo_address(self, outcome.undo)

    @extend_schema_field(DaysSerializer(allow_null=True))
    def get_days(self, outcome: Outcome) -> dict[str, str] | None:
        if outcome.days is None:
            return None
        first, last = (day.isoformat() for day in outcome.days)
        return {"first": first, "last": last}


def undo_address(serializer: serializers.BaseSerializer, change: Change | None) -> str | None:
    if change is None:
        return None
    address = reverse("api:change-undo", args=[change.pk])
    return str(serializer.context["request"].build_absolute_uri(address))


class UndoneSerializer(serializers.Serializer):
    restored = serializers.IntegerField(help_text="Pictures with their former values again.")
