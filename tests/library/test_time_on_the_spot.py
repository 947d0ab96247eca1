"""Days, months and times are local times of the place where a picture was taken. The time zones of
site and viewer change nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from PIL.ExifTags import GPS, Base

from gallery.library import facts_backfill
from gallery.library.storage import original_of
from gallery.models import Album, AlbumItem, Image
from gallery.organising import album_summaries
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.factories import make_space
from tests.web_tools import HTMX, browser

pytestmark = pytest.mark.django_db

IMAGES = "/api/v1/images/"
# The local time, its offset, the day before or after by other clocks, and the text on pages.
SHOTS = {
    "auckland": ("2021:03:01 07:30:00", "+13:00", "2021-02-28", "Mar 1, 2021, 7:30\u00a0AM"),
    "los angeles": ("2022:05:31 21:15:00", "-07:00", "2022-06-01", "May 31, 2022, 9:15\u00a0PM"),
    "kathmandu": ("2019:12:31 23:50:00", "+05:45", "2020-01-01", "Dec 31, 2019, 11:50\u00a0PM"),
    "unknown": ("2023:12:30 23:04:21", None, "2023-12-31", "Dec 30, 2023, 11:04\u00a0PM"),
}


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/Los_Angeles"])
def site(request, settings):
    settings.TIME_ZONE = request.param
    with timezone.override(request.param):
        yield request.param


def shot(owner, when: str, offset: str | None = None, **fields) -> Image:
    photo = {Base.DateTimeOriginal: when}
    if offset:
        photo[Base.OffsetTimeOriginal] = offset
    data = pictures.jpeg(exif=pictures.exif_block(photo=photo))
    return upload(owner, data, **fields)


def listed(client, **query) -> list[str]:
    return [row["id"] for row in client.get(IMAGES, query).json()["results"]]


@pytest.fixture(autouse=True)
def space():
    return make_space()


def found(client, line: str) -> list[str]:
    answer = client.get("/api/v1/search/", {"q": line}).json()
    return [hit["image"]["id"] for hit in answer["results"]]


@pytest.mark.parametrize("name", list(SHOTS))
def test_a_picture_is_of_the_day_that_clocks_showed(alice, bob, site, name: str) -> None:
    when, offset, other_day, page = SHOTS[name]
    image = shot(alice, when, offset, visibility="public")
    day, time = when[:10].replace(":", "-"), when[11:]
    for who in (alice, bob, None):
        client = api(who)
        shown = client.get(f"{IMAGES}{image.pk}/").json()
        assert shown["captured_at"].startswith(f"{day}T{time}")
        assert shown["taken_at"] == shown["captured_at"]
        assert found(client, f"on:{day}") == [str(image.pk)]
        assert found(client, f"on:{other_day}") == []
        after = {"taken_after": day}
        assert listed(client, **after) == [str(image.pk)]
        assert listed(client, taken_before=f"{day}T{time}") == []
        assert listed(client, captured_after=f"{day}T{time}") == [str(image.pk)]
        months = client.get("/api/v1/timeline/").json()["months"]
        assert [month["month"] for month in months] == [day[:7]]
        pages = browser(who)
        assert page in pages.get(f"/images/{image.pk}/").content.decode()
        part = pages.get("/timeline/", {"month": day[:7]}, headers=HTMX).content.decode()
        assert re.findall('data-section="([^"]*)"', part) == [day]


def test_others_are_not_told_the_offset(alice, bob, site) -> None:
    """The offset tells roughly where a picture was taken. Nothing reveals it to others."""
    known = shot(alice, "2021:03:01 07:30:00", "+13:00", visibility="public")
    unknown = shot(alice, "2021:03:01 07:30:01", None, visibility="public")
    mine = api(alice).get(f"{IMAGES}{known.pk}/").json()
    assert (mine["captured_at"], mine["captured_offset"]) == (
        "2021-03-01T07:30:00+13:00",
        "+13:00",
    )
    assert "UTC+13:00" in browser(alice).get(f"/images/{known.pk}/").content.decode()
    assert "UTC+13:00" not in browser(bob).get(f"/images/{known.pk}/").content.decode()
    for who in (bob, None):
        one, other = (api(who).get(f"{IMAGES}{it.pk}/").json() for it in (known, unknown))
        assert one["captured_offset"] is other["captured_offset"] is None
        assert one["captured_at"].replace("07:30:00", "07:30:01") == other["captured_at"]
        # A moment in a filter counts as the local time of the site.
        moment = timezone.make_aware(datetime(2021, 3, 1, 7, 30)).astimezone(UTC)
        both = [str(unknown.pk), str(known.pk)]
        assert listed(api(who), taken_after=moment.isoformat(), order="taken") == both
        later = (moment + timedelta(seconds=2)).isoformat()
        assert listed(api(who), taken_after=later) == []


def test_pictures_of_a_journey_are_in_the_order_of_their_days(alice, site) -> None:
    """The evening in Auckland comes before the morning after in Los Angeles, although that was
    hours earlier."""
    evening = shot(alice, "2021:03:01 23:30:00", "+13:00")
    morning = shot(alice, "2021:03:02 07:00:00", "-08:00")
    flight = shot(alice, "2021:03:01 12:00:00", "-08:00")
    ids = [str(image.pk) for image in (morning, evening, flight)]
    first = api(alice).get(IMAGES, {"order": "taken", "limit": 1}).json()
    second = api(alice).get(first["next"]).json()
    third = api(alice).get(second["next"]).json()
    assert [page["results"][0]["id"] for page in (first, second, third)] == ids
    beside = browser(alice).get(f"/images/{evening.pk}/neighbours/").json()
    assert beside["previous"].endswith(f"{morning.pk}/")
    assert beside["next"].endswith(f"{flight.pk}/")
    album = Album.objects.create(owner=alice, title="Journey")
    for image in (evening, morning, flight):
        AlbumItem.objects.create(album=album, image=image, position=1)
    (summary,) = album_summaries.summarise(
        list(album_summaries.with_summary_fields(Album.objects.visible_to(alice), alice)), alice
    )
    assert summary.first_taken_at == datetime(2021, 3, 1, 12)
    assert summary.last_taken_at == datetime(2021, 3, 2, 7)
    row = api(alice).get("/api/v1/albums/").json()["results"][0]
    assert row["first_taken_at"].startswith("2021-03-01T12:00:00")
    assert row["last_taken_at"].startswith("2021-03-02T07:00:00")
    assert "March 2021" in browser(alice).get("/albums/").content.decode()


def test_what_does_not_tell_counts_as_taken_when_it_was_uploaded(alice, site) -> None:
    image = upload(alice)
    here = timezone.localtime(image.created_at)
    image.refresh_from_db()
    assert image.taken_at == here.replace(tzinfo=None)
    shown = api(alice).get(f"{IMAGES}{image.pk}/").json()
    assert datetime.fromisoformat(shown["taken_at"]) == image.created_at
    assert (shown["captured_at"], shown["captured_offset"]) == (None, None)


# --- What the owner says ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told", "offset"),
    [
        ("2024-05-01T23:30:00+13:00", "2024-05-01T23:30:00+13:00", "+13:00"),
        ("2024-05-01T23:30:00Z", "2024-05-01T23:30:00Z", "+00:00"),
        ("2024-05-01T23:30:00", None, None),
    ],
)
def test_a_time_is_kept_as_it_is_written(alice, site, given, told, offset) -> None:
    image = upload(alice)
    shown = api(alice).patch(f"{IMAGES}{image.pk}/", {"captured_at": given}).json()
    assert shown["captured_at"].startswith("2024-05-01T23:30:00")
    assert told in (None, shown["captured_at"])
    assert shown["captured_offset"] == offset
    assert found(api(alice), "on:2024-05-01") == [str(image.pk)]


def edit(owner, image: Image, **fields) -> None:
    pages, address = browser(owner), f"/images/{image.pk}/edit/"
    form = pages.get(address).context["form"]
    values = {name: form[name].value() or "" for name in form.fields}
    if isinstance(values["captured_at"], datetime):
        values["captured_at"] = values["captured_at"].strftime("%Y-%m-%dT%H:%M:%S")
    assert pages.post(address, {**values, **fields}).status_code == 302


def test_the_form_shows_and_takes_the_clocks_on_the_spot(alice, site) -> None:
    image = shot(alice, "2021:03:01 07:30:00", "+13:00")
    Image.objects.update(captured_at=image.captured_at + timedelta(milliseconds=250))
    before = Image.objects.values("captured_at", "taken_at", "ahead_of_utc", "is_offset_known")
    kept = before.get()
    page = browser(alice).get(f"/images/{image.pk}/edit/").content.decode()
    assert 'value="2021-03-01T07:30:00"' in page
    edit(alice, image, title="Morning")
    assert before.get() == kept, "what was not changed stays, to the part of a second"
    edit(alice, image, captured_at="2021-03-01T08:45:00")
    image.refresh_from_db()
    assert (image.taken_at, image.offset) == (datetime(2021, 3, 1, 8, 45), timedelta(hours=13))
    edit(alice, image, captured_at="")
    image.refresh_from_db()
    assert (image.captured_clock, image.offset) == (None, None)
    assert image.taken_at == timezone.localtime(image.created_at).replace(tzinfo=None)


def test_an_hour_that_the_clocks_of_the_site_skip_can_be_entered(alice, settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        image = upload(alice)
        for hour in ("2024-03-31T02:30:00", "2024-10-27T02:30:00"):
            edit(alice, image, captured_at=hour)
            shown = api(alice).get(f"{IMAGES}{image.pk}/").json()
            assert shown["captured_at"].startswith(hour)


def test_a_cursor_of_another_order_is_refused(alice) -> None:
    image = upload(alice)
    cursor = f"2024-05-01T00:00:00+00:00~{image.pk}"
    answer = api(alice).get(IMAGES, {"order": "taken", "cursor": cursor})
    assert (answer.status_code, code_of(answer)) == (400, "bad_cursor")


# --- Pictures that were there before --------------------------------------------------------


def old(**fields) -> None:
    """Rows of an older release: only a moment is known."""
    Image.objects.update(facts=0, frames=None, ahead_of_utc=0, is_offset_known=False, **fields)


def migrate() -> None:
    module = import_module("gallery.migrations.0009_old_rows")
    with connection.schema_editor() as editor:
        module.facts_of_rows(apps, editor)


def test_the_clocks_of_the_site_are_assumed_for_what_was_there(alice, site, monkeypatch) -> None:
    monkeypatch.setattr(import_module("gallery.migrations.0009_old_rows"), "BATCH", 2)
    summer, winter = datetime(2022, 7, 1, 12), datetime(2022, 1, 1, 12)
    made = [shot(alice, f"{time:%Y:%m:%d %H:%M:%S}") for time in (summer, winter)]
    made += [upload(alice, pictures.png(40 + n, 30)) for n in range(3)]
    Image.objects.filter(pk=made[2].pk).update(latitude=0, longitude=0)
    Image.objects.filter(pk=made[3].pk).update(latitude=0, longitude=6.6)
    expected = dict(Image.objects.values_list("pk", "taken_at"))
    old()
    migrate()
    migrate()  # a second time changes nothing
    assert dict(Image.objects.values_list("pk", "taken_at")) == expected
    frames = dict(Image.objects.values_list("pk", "frames"))
    assert [frames[image.pk] for image in made] == [1, 1, None, None, None]
    places = dict(Image.objects.values_list("pk", "longitude"))
    assert [places[image.pk] for image in made[2:4]] == [None, 6.6]


def test_files_are_read_again(alice, site) -> None:
    """The backfill finds the offset, a date that was not understood, a place, and the frames."""
    known = shot(alice, "2021:03:01 07:30:00", "+13:00")
    dashes = shot(alice, "2010-05-01 12:00:00")
    gps = {
        GPS.GPSLatitudeRef: "N",
        GPS.GPSLatitude: (48.0, 52.0, 0.0),
        GPS.GPSLongitudeRef: "E",
        GPS.GPSLongitude: (16.0, 26.0, 0.0),
    }
    placed = upload(alice, pictures.jpeg(exif=pictures.exif_block(gps=gps)))
    moving = upload(alice, pictures.animated_gif())
    fields = ("pk", "captured_at", "taken_at", "latitude", "frames", "duration", "is_offset_known")
    expected = sorted(Image.objects.values_list(*fields))
    old(latitude=None, longitude=None, duration=None)
    Image.objects.filter(pk=dashes.pk).update(captured_at=None)
    assert [facts_backfill.backfill_facts(), facts_backfill.backfill_facts()] == [4, 0]
    now = sorted(Image.objects.values_list(*fields))
    undated = {placed.pk, moving.pk}
    assert [row for row in now if row[0] not in undated] == [
        row for row in expected if row[0] not in undated
    ]
    assert {row[0]: row[3:6] for row in now} == {row[0]: row[3:6] for row in expected}
    assert Image.objects.get(pk=known.pk).offset == timedelta(hours=13)


def test_what_the_owner_said_stays(alice) -> None:
    said = datetime(2000, 1, 1, tzinfo=UTC)
    changed = shot(alice, "2021:03:01 07:30:00", "+13:00")
    emptied = shot(alice, "2021:03:01 07:30:01", "+13:00")
    old()
    Image.objects.filter(pk=changed.pk).update(captured_at=said)
    Image.objects.filter(pk=emptied.pk).update(captured_at=None)
    assert facts_backfill.backfill_facts() == 2
    assert dict(Image.objects.values_list("pk", "captured_at")) == {
        changed.pk: said,
        emptied.pk: None,
    }
    assert not Image.objects.filter(is_offset_known=True).exists()


def test_a_file_that_is_gone_is_not_asked_for_again(alice) -> None:
    image = upload(alice)
    old()
    default_storage.delete(original_of(image))
    assert [facts_backfill.backfill_facts(), facts_backfill.backfill_facts()] == [1, 0]
