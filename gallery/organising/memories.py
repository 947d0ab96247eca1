"""Pictures of an account that were taken on the same day of earlier years."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from gallery.models import Image, User


@dataclass(frozen=True)
class Memory:
    """The pictures of one day. `cover` is a favourite if there is one, else the latest picture."""

    day: date
    cover: UUID
    count: int


def memories(owner: User, today: date, years: Iterable[int]) -> list[Memory]:
    """Return what `owner` has from the day `today` of those of `years` that are past, the latest
    first. Archived pictures and the trash do not come up."""
    days = [day for year in years if year < today.year for day in _days(today, year)]
    if not days:
        return []
    taken = Q()
    for day in days:
        begin = datetime.combine(day, datetime.min.time())
        taken |= Q(taken_at__gte=begin, taken_at__lt=begin + timedelta(days=1))
    images = Image.objects.owned_by(owner).filter(taken, archived_at=None).with_favourite(owner)
    rows = images.order_by("-is_favourite", "-taken_at", "-pk")
    found: dict[date, list[UUID]] = {}
    for pk, moment in rows.values_list("pk", "taken_at"):
        found.setdefault(moment.date(), []).append(pk)
    return [Memory(day, found[day][0], len(found[day])) for day in sorted(found, reverse=True)]


def _days(today: date, year: int) -> list[date]:
    """Return the day of another year. A 29 February comes up on the 28th of years without one."""
    if (today.month, today.day) == (2, 29):
        return [date(year, 2, 29)] if calendar.isleap(year) else []
    day = today.replace(year=year)
    is_last = (today.month, today.day) == (2, 28) and not calendar.isleap(today.year)
    return [day, date(year, 2, 29)] if is_last and calendar.isleap(year) else [day]
