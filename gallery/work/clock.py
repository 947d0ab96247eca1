"""Times by the clock of the database, which all workers share."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(time: timedelta) -> ExpressionWrapper:
    """The time that is `time` from now; a negative `time` gives the past."""
    return ExpressionWrapper(
        Now() + Value(time, output_field=DurationField()), output_field=DateTimeField()
    )
