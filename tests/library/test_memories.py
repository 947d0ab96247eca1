"""Pictures of the same day of earlier years."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.utils import timezone

from gallery.models import Image, User
from gallery.organising import favourites
from gallery.organising.memories import memories
from tests.conftest import draw, upload

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 30)
YEARS = range(2015, 2027)


def taken(owner: User, moment: datetime, **fields: object) -> Image:
    image = upload(
        owner, draw(colour=(moment.year % 256, 8 * moment.day, 10 * moment.hour)), **fields
    )
    Image.objects.filter(pk=image.pk).update(captured_at=timezone.make_aware(moment))
    return image


def told(owner: User, today: date = TODAY) -> list[tuple[date, int]]:
    return [(memory.day, memory.count) for memory in memories(owner, today, YEARS)]


def test_the_same_day_of_earlier_years_the_latest_first(alice: User) -> None:
    for moment in (
        datetime(2023, 11, 30, 0, 0),
        datetime(2023, 11, 30, 23, 59),
        datetime(2019, 11, 30, 12),
        datetime(2023, 11, 29, 23, 59),
        datetime(2023, 12, 1, 0, 0),
        datetime(2026, 11, 30, 9),
    ):
        taken(alice, moment)
    assert told(alice) == [(date(2023, 11, 30), 2), (date(2019, 11, 30), 1)]


def test_memories_are_of_ones_own_pictures(alice: User, bob: User) -> None:
    taken(alice, datetime(2023, 11, 30, 12), visibility="public")
    assert told(bob) == []
    assert told(alice) == [(date(2023, 11, 30), 1)]


def test_archived_and_deleted_pictures_do_not_come_up(alice: User) -> None:
    archived, deleted = (taken(alice, datetime(2023, 11, 30, hour)) for hour in (8, 9))
    Image.objects.filter(pk=archived.pk).update(archived_at=timezone.now())
    Image.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    assert told(alice) == []


def test_the_cover_is_a_favourite_or_else_the_latest(alice: User, bob: User) -> None:
    early, late = (taken(alice, datetime(2023, 11, 30, hour)) for hour in (8, 9))
    favourites.mark(bob, [early.pk])
    (memory,) = memories(alice, TODAY, YEARS)
    assert memory.cover == late.pk
    favourites.mark(alice, [early.pk])
    (memory,) = memories(alice, TODAY, YEARS)
    assert memory.cover == early.pk


def test_the_29_february_comes_up_on_the_28th_of_other_years(alice: User) -> None:
    taken(alice, datetime(2024, 2, 29, 12))
    taken(alice, datetime(2023, 2, 28, 12))
    both = [(date(2024, 2, 29), 1), (date(2023, 2, 28), 1)]
    assert told(alice, date(2026, 2, 28)) == both
    assert memories(alice, date(2028, 2, 28), YEARS)[0].day == date(2023, 2, 28)
    assert told(alice, date(2028, 2, 29)) == both[:1]
    assert told(alice, date(2026, 3, 1)) == []
