"""Times as the clocks on the spot showed them, which are no moments: without a zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Func
from django.db.models.functions import Coalesce
from django.utils import timezone


class ClockField(models.DateTimeField):
    """A naive datetime: `timestamp without time zone`. Neither Django nor PostgreSQL moves
    it from one zone to another."""

    def db_type(self, connection: Any) -> str:
        return "timestamp"

    def get_prep_value(self, value: Any) -> Any:
        return models.Field.get_prep_value(self, value)


class OnTheSpot(Func):
    """What clocks showed at a moment, where they are ahead of UTC by some seconds: the first
    of the `moments` that is known, and the column of the seconds."""

    template = "(%(expressions)s * interval '1 second')"
    arg_joiner = " AT TIME ZONE 'UTC' + "
    output_field = ClockField()

    def __init__(self, *moments: str, ahead: str) -> None:
        super().__init__(Coalesce(*moments), ahead)


class MonthOf(Func):
    """The first of the month that a time on the spot lies in. Django's own `TruncMonth` would
    take it for a moment in the zone of the site."""

    template = "date_trunc('month', %(expressions)s)"
    output_field = ClockField()


def ahead_of_utc(moment: datetime | None = None) -> int:
    """Seconds by which the clocks of the site were ahead of UTC at `moment` (now)."""
    offset = timezone.localtime(moment).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0
