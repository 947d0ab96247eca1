"""Times by the clock of the database, which all workers share."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(time: timedelta) -> ExpressionWrapper:
    """The moment after `time`, or before it where that is negative."""
    return ExpressionWrapper(
        Now() + Value(time, output_field=DurationField()), output_field=DateTimeField()
    )
