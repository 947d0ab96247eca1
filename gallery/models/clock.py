"""Local times at the place where a picture was taken. They have no time zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Func
from django.db.models.functions import Coalesce
from django.utils import timezone


class ClockField(models.DateTimeField):
    """A naive datetime: `timestamp without time zone`. Neither Django nor PostgreSQL converts
    it from one zone to another."""

    def db_type(self, connection: Any) -> str:
        return "timestamp"

    def get_prep_value(self, value: Any) -> Any:
        return models.Field.get_prep_value(self, value)


class OnTheSpot(Func):
    """The local time of a moment: the first of the columns `moments` that is not null, plus the
    offset from UTC in seconds in the column `ahead`."""

    template = "(%(expressions)s * interval '1 second')"
    arg_joiner = " AT TIME ZONE 'UTC' + "
    output_field = ClockField()

    def __init__(self, *moments: str, ahead: str) -> None:
        super().__init__(Coalesce(*moments), ahead)


class MonthOf(Func):
    """The first day of the month of a local time. Django's own `TruncMonth` would take it for a
    moment and convert it to the site's zone."""

    template = "date_trunc('month', %(expressions)s)"
    output_field = ClockField()


class YearOf(Func):
    """The year of a local time, like `MonthOf`."""

    template = "date_part('year', %(expressions)s)::int"
    output_field = models.IntegerField()


def ahead_of_utc(moment: datetime | None = None) -> int:
    """Return the site's offset from UTC in seconds at `moment` (default: now)."""
    offset = timezone.localtime(moment).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0
