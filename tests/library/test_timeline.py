"""The timeline: months by the time of capture, and the pictures of each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gallery.models import Image
from tests.api_tools import code_of
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

TIMELINE = "/api/v1/timeline/"
IMAGES = "/api/v1/images/"


def taken(owner, *moments: datetime, size=(64, 48), **fields) -> list[Image]:
    made = []
    for moment in moments:
        colour = (Image.objects.count() * 16 % 256, 80, owner.pk % 256)
        image = upload(owner, draw(*size, colour=colour), **fields)
        Image.objects.filter(pk=image.pk).update(captured_at=moment)
        made.append(image)
    return made


def months(client, **query) -> dict[str, int]:
    answer = client.get(TIMELINE, query)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    found = {month["month"]: month["count"] for month in body["months"]}
    assert list(found) == sorted(found, reverse=True)
    assert body["total"] == sum(found.values())
    return found


def test_months_are_counted_within_what_one_may_see(alice, bob):
    taken(alice, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 31, 23, 59, tzinfo=UTC))
    taken(alice, datetime(2023, 12, 31, tzinfo=UTC), visibility="public")
    taken(bob, datetime(2020, 2, 29, tzinfo=UTC))
    assert months(api(alice)) == {"2024-05": 2, "2023-12": 1}
    assert months(api(bob)) == {"2023-12": 1, "2020-02": 1}
    assert months(APIClient()) == {"2023-12": 1}
    assert months(api(alice), owner="me", taken_after="2024-01-01") == {"2024-05": 2}


def test_a_picture_without_a_time_counts_when_it_was_uploaded(alice):
    image = upload(alice)
    assert months(api(alice)) == {f"{timezone.localtime(image.created_at):%Y-%m}": 1}


def test_archived_pictures_are_there_only_if_asked_for(alice):
    image, _other = taken(alice, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))
    Image.objects.filter(pk=image.pk).update(archived_at=timezone.now())
    assert months(api(alice)) == {"2024-06": 1}
    assert months(api(alice), archived="true") == {"2024-05": 1}


def test_the_trash_is_not_in_the_timeline(alice):
    (image,) = taken(alice, datetime(2024, 5, 1, tzinfo=UTC))
    api(alice).delete(f"{IMAGES}{image.pk}/")
    assert months(api(alice)) == {}


def test_a_month_tells_the_mean_shape_and_a_panorama_does_not_spoil_it(alice):
    may = datetime(2024, 5, 1, tzinfo=UTC)
    taken(alice, may, size=(100, 100))
    taken(alice, may, size=(1000, 20))  # 50, drawn as 3
    (month,) = api(alice).get(TIMELINE).json()["months"]
    assert month["ratio"] == 2.0


def test_the_months_together_are_all_pictures_in_order(alice):
    moments = [datetime(2024, month, day, tzinfo=UTC) for month in (3, 4, 5) for day in (1, 28)]
    made = taken(alice, *moments)
    ordered = [str(image.pk) for image in reversed(made)]
    query = {"order": "taken", "limit": 4}
    first = api(alice).get(IMAGES, query).json()
    second = api(alice).get(first["next"]).json()
    assert [image["id"] for image in first["results"] + second["results"]] == ordered
    april = {"order": "taken", "taken_after": "2024-04-01", "taken_before": "2024-05-01"}
    found = api(alice).get(IMAGES, april).json()["results"]
    assert [image["id"] for image in found] == ordered[2:4]


def test_a_bad_filter_is_named(alice):
    answer = api(alice).get(TIMELINE, {"taken_after": "the war"})
    assert (answer.status_code, code_of(answer)) == (400, "invalid")
    assert answer.json()["errors"][0]["attr"] == "taken_after"
