"""Dates in plain words: what is read as a filter, what stays text, what is said about it, and that
moving days move."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from gallery.models import EmbeddingSpace, Image, User
from gallery.organising import saved_searches, search_history, smart_albums
from gallery.search import service
from gallery.search.filters import date_labels, dates
from gallery.search.filters.image_filter import narrow
from gallery.search.query import dates_in_words, syntax
from gallery.search.query.query import Query, Term
from tests.conftest import api, draw, upload
from tests.factories import set_vector
from tests.web_tools import WORDS, browser, fake_encoder, tiles

TODAY = datetime(2026, 12, 1, 12, tzinfo=UTC)  # a Tuesday


@pytest.fixture(autouse=True)
def the_first_of_december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: TODAY)


# --- What is read as a date -----------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("today", "on:today"),
        ("yesterday", "on:yesterday"),
        *((line, "on:2019") for line in ("2019!", "2019?", "[2019]", "2019年！")),
        ("Yesterday", "on:yesterday"),
        ("the day before yesterday", "on:day-before-yesterday"),
        ("beach this week", "beach on:this-week"),
        ("last week", "on:last-week"),
        ("cats last month", "cats on:last-month"),
        ("this month", "on:this-month"),
        ("this year", "on:this-year"),
        ("snow last year", "snow on:last-year"),
        ("last 30 days", "on:last-30-days"),
        ("the past 7 days", "on:last-7-days"),
        # Pictures of any kind are no text.
        ("yesterday's pictures", "on:yesterday"),
        ("pictures from yesterday", "on:yesterday"),
        ("my photos of last week", "on:last-week"),
        ("pictures I took yesterday", "on:yesterday"),
        ("photos taken in 2019", "on:2019"),
        ("show me all photos from July 2019", "on:2019-07"),
        ("yesterday's photos of the beach", "photos of the beach on:yesterday"),
        # Years.
        ("2019", "on:2019"),
        ("1900", "on:1900"),
        ("2026", "on:2026"),
        ("in 2019", "on:2019"),
        ("beach 2019", "beach on:2019"),
        ("2019 beach", "beach on:2019"),
        ("beach (2019)", "beach on:2019"),
        ("cats and dogs and 2019", "cats and dogs on:2019"),
        ("beach, 2019, sunset", "beach, sunset on:2019"),
        ("the beach of 2019", "the beach on:2019"),
        ("the summer of 2019 in Rome", "the summer in Rome on:2019"),
        ("in the year 2019", "on:2019"),
        # Months and days.
        ("July 2019", "on:2019-07"),
        ("beach in july 2019", "beach on:2019-07"),
        ("Sept. 2019", "on:2019-09"),
        ("may 2019", "on:2019-05"),
        ("November 30", "on:2026-11-30"),
        ("30 November", "on:2026-11-30"),
        ("December 1", "on:2026-12-01"),
        ("December 2", "on:2025-12-02"),
        ("february 29", "on:2024-02-29"),
        ("Nov 30th, 2025", "on:2025-11-30"),
        ("30 November 2025", "on:2025-11-30"),
        ("on the 14th of July 2019", "on:2019-07-14"),
        ("may 14", "on:2026-05-14"),
        ("beach on may 14 with a dog", "beach with a dog on:2026-05-14"),
        ("2019 July", "on:2019-07"),
        ("new year 2020", "new year on:2020"),
        ("2019-07", "on:2019-07"),
        ("2019-07-14", "on:2019-07-14"),
        ("2019/7/4", "on:2019-07-04"),
        # Ends.
        ("since 2019", "after:2019"),
        ("beach before 2019", "beach before:2019"),
        ("after July 2019", "after:2019-08"),
        ("until 2019", "before:2020"),
        ("since yesterday", "after:yesterday"),
        ("beach from 2018 to 2020", "beach after:2018 before:2021"),
        ("between 2018 and 2020", "after:2018 before:2021"),
        ("from 2018 until 2020", "after:2018 before:2021"),
        # Beside filters, quotes and weights.
        ("tag:sea 2019 beach", "beach on:2019 tag:sea"),
        ('"a red car" 2019', "a red car on:2019"),
        ('2019 "a red car" beach', 'beach "a red car" on:2019'),
        ("beach 2019 -people", "beach -people on:2019"),
        # Chinese, simplified and traditional.
        ("今天", "on:today"),
        ("昨天", "on:yesterday"),
        ("前天", "on:day-before-yesterday"),
        ("昨天的照片", "on:yesterday"),
        ("昨天 照片", "on:yesterday"),
        ("给我看昨天的照片", "on:yesterday"),
        ("我昨天拍的照片", "on:yesterday"),
        ("昨天的海滩", "海滩 on:yesterday"),
        ("上周", "on:last-week"),
        ("上星期的猫", "猫 on:last-week"),
        ("本周", "on:this-week"),
        ("这周", "on:this-week"),
        ("上个月", "on:last-month"),
        ("上月 海滩", "海滩 on:last-month"),
        ("这个月的照片", "on:this-month"),
        ("本月", "on:this-month"),
        ("去年", "on:last-year"),
        ("今年的雪", "雪 on:this-year"),
        ("去年7月", "on:2025-07"),
        ("去年 7 月的海滩", "海滩 on:2025-07"),
        ("去年夏天", "夏天 on:last-year"),
        ("2019年", "on:2019"),
        ("2019年 海滩", "海滩 on:2019"),
        ("2019年的海滩", "海滩 on:2019"),
        ("2019年海滩", "海滩 on:2019"),
        ("海滩 2019", "海滩 on:2019"),
        ("在2019年", "on:2019"),
        ("2019年7月", "on:2019-07"),
        ("2019年十二月", "on:2019-12"),
        ("2019年7月14日", "on:2019-07-14"),
        ("2019年七月二十四日", "on:2019-07-24"),
        ("7月14日", "on:2026-07-14"),
        ("12月25号的聚会", "聚会 on:2025-12-25"),
        ("2019年以来", "after:2019"),
        ("2019年之前的猫", "猫 before:2019"),
        ("2018年到2020年的海滩", "海滩 after:2018 before:2021"),
        ("最近30天", "on:last-30-days"),
        ("上週的海灘", "海灘 on:last-week"),
    ],
)
def test_dates_are_a_filter(line: str, canonical: str) -> None:
    parsed = syntax.parse(line)
    assert syntax.format(parsed.query) == canonical
    (note,) = parsed.notes
    assert note.code == "date"
    # Read again, it is the same query, and there is nothing to say.
    again = syntax.parse(canonical)
    assert (again.query, again.notes) == (parsed.query, [])
    # The link of the note searches for all words as they stand.
    typed = syntax.parse(note.as_typed)
    assert typed.notes == []
    assert "taken_after" not in typed.query.filters
    assert "taken_before" not in typed.query.filters


@pytest.mark.parametrize(
    "line",
    [
        # A month alone, a weekday, other words.
        "may",
        "march",
        "a march in may",
        "in july",
        "may 4 people dance",
        "sunday",
        # No month and no day has the number 0 or 13.
        *("2019-00-10", "2019/0/10", "2019-00", "2019-1-00"),
        *("2019年13月", "2019年0月10日", "去年13月"),
        # Other days, and other words.
        *("大前天", "上上周", "上上个月", "today show"),
        *("2019年轻人", "从前天真的孩子", "5月1日本樱花"),
        "monthly",
        "yesterdays",
        "the last year",
        "last week of school",
        "summer",
        # Years that have not come, that are too long ago, or that are no years.
        "blade runner 2049",
        "2027",
        "1899",
        "1000 euro",
        "2000 euro",
        "2000 km",
        "2019 people",
        "2010s",
        "f2019",
        "IMG_2019",
        "2019th",
        "$2019",
        "1,2019",
        "20190714",
        "room 2019",
        "route 1950",
        "iso 2000",
        "not 2019",
        "more than 2000",
        "2018-2020",
        "2019-13",
        "february 30 2019",
        "14:20",
        # Chinese: other words, and what is no date yet.
        "海滩2019",
        "2000年代",
        "2019年级",
        "7月",
        "13月14日",
        "日本月亮",
        "日本周末",
        "海上月亮",
        "这个月亮",
        "过去年代",
        "前天津",
        "目前天气",
        "上周末",
        "这周围的树",
        "当今年轻人",
        "星期天",
        "2049年",
        "不是2019年",
    ],
)
def test_other_words_are_no_date(line: str) -> None:
    parsed = syntax.parse(line)
    assert [note for note in parsed.notes if "date" in note.code] == []
    assert parsed.query.filters == {}


@pytest.mark.parametrize("line", ['"2019"', '"yesterday"', '"beach 2019"', "“昨天”"])
def test_quotes_keep_words(line: str) -> None:
    assert syntax.parse(line) == syntax.Parsed(Query((Term(text=line[1:-1]),)))
    assert syntax.format(syntax.parse(line).query).startswith('"')


def test_what_has_a_sign_is_no_date() -> None:
    for line in ("-2019", "beach -yesterday", "2019^0.5"):
        parsed = syntax.parse(line)
        assert (parsed.query.filters, parsed.notes) == ({}, [])


def test_several_dates_stay_words() -> None:
    for line in (
        *("2018 and 2020", "yesterday or last week", "2020 to 2018", "in 2018 or 2019"),
        *("from July to August 2019", "july and august 2019", "14-20 july 2019"),
        *("2019到2020年", "2019-2020年", "昨天和今天"),
    ):
        parsed = syntax.parse(line)
        assert parsed.query == Query((Term(text=line),))
        assert [note.code for note in parsed.notes] == ["unclear_date"]
        assert syntax.parse(syntax.format(parsed.query)) == syntax.Parsed(parsed.query)


def test_beside_a_filter_for_dates_all_are_words() -> None:
    parsed = syntax.parse("beach 2019 on:2018")
    assert syntax.format(parsed.query) == '"beach 2019" on:2018'
    assert parsed.notes == []


def test_dates_and_negations_are_read_together() -> None:
    parsed = syntax.parse("beach in 2019 without people")
    assert syntax.format(parsed.query) == "beach -people on:2019"
    assert [note.code for note in parsed.notes] == ["date", "negation"]
    assert {note.as_typed for note in parsed.notes} == {'"beach in 2019 without people"'}
    assert syntax.format(syntax.parse("海滩2019年没有人").query) == "海滩 -人 on:2019"


@pytest.mark.parametrize(
    "part",
    [
        "in ",
        "in the year ",
        "may ",
        "2019 ",
        "the last ",
        "2019年的",
        "在我",
        "昨天",
        "from 2018 to ",
    ],
)
def test_no_line_takes_long(part: str) -> None:
    """Nothing is tried again and again: a bound that a slow machine keeps a hundred times."""
    line = (part * 4000)[: service.MAX_LINE_CHARACTERS]
    begun = time.process_time()
    dates_in_words.read(line[:300])
    syntax.format(syntax.parse(line[:300]).query)
    syntax.format(syntax.parse(line).query)
    assert time.process_time() - begun < 5


def test_long_texts_are_no_plain_wording() -> None:
    assert dates_in_words.read(f"{'beach ' * 60}2019").date is None


# --- What is said ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("beach 2019", "“2019” is read as a date."),
        ("yesterday", "“yesterday” is read as a date: Nov 30, 2026."),
        ("昨天", "“昨天” is read as a date: Nov 30, 2026."),
        ("last week", "“last week” is read as a date: Nov 23, 2026 – Nov 29, 2026."),
        ("last month", "“last month” is read as a date: November 2026."),
        ("November 30", "“November 30” is read as a date: Nov 30, 2026."),
        ("since 2019", "“since 2019” is read as a date: From 2019."),
    ],
)
def test_the_reading_is_said(line: str, message: str) -> None:
    assert [str(note.message) for note in syntax.parse(line).notes] == [message]


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("on:2019", ["2019"]),
        ("on:2019-07", ["July 2019"]),
        ("on:2019-07-14", ["Jul 14, 2019"]),
        ("on:yesterday", ["Yesterday"]),
        ("on:last-week", ["Last week"]),
        ("on:last-30-days", ["Last 30 days"]),
        ("after:2018 before:2021", ["From 2018", "Until Dec 31, 2020"]),
        ("after:yesterday", ["From Nov 30, 2026"]),
    ],
)
def test_one_span_is_one_label(line: str, labels: list[str]) -> None:
    filters = syntax.parse(line).query.filters
    shown = date_labels.labels(filters.get("taken_after"), filters.get("taken_before"))
    assert list(shown) == labels


# --- Moving days ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "after"),
    [
        ("today", "2026-12-01", "2026-12-02"),
        ("yesterday", "2026-11-30", "2026-12-01"),
        ("day-before-yesterday", "2026-11-29", "2026-11-30"),
        ("this-week", "2026-11-30", "2026-12-07"),
        ("last-week", "2026-11-23", "2026-11-30"),
        ("this-month", "2026-12-01", "2027-01-01"),
        ("last-month", "2026-11-01", "2026-12-01"),
        ("this-year", "2026-01-01", "2027-01-01"),
        ("last-year", "2025-01-01", "2026-01-01"),
        ("last-1-days", "2026-12-01", "2026-12-02"),
        ("last-30-days", "2026-11-02", "2026-12-02"),
    ],
)
def test_moving_spans(name: str, first: str, after: str) -> None:
    days = dates.span(name)
    assert days is not None
    assert (dates.fixed(days[0]), dates.fixed(days[1])) == (first, after)
    assert dates.spanning(*days) == name


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("on:Yesterday", "on:yesterday"),
        ('on:"last week"', "on:last-week"),
        ("on:last_week", "on:last-week"),
        ("on:昨天", "on:yesterday"),
        ("日期:上个月", "on:last-month"),
        ("after:this-year", "after:this-year"),
        ("before:today", "before:today"),
    ],
)
def test_moving_days_as_values_of_filters(spelling: str, canonical: str) -> None:
    parsed = syntax.parse(spelling)
    assert (syntax.format(parsed.query), parsed.notes) == (canonical, [])
    assert syntax.parse(canonical).query == parsed.query


@pytest.mark.parametrize(
    ("zone", "yesterday"), [("Pacific/Kiritimati", "2026-12-01"), ("Pacific/Niue", "2026-11-30")]
)
def test_days_are_those_of_the_site(settings: Any, zone: str, yesterday: str) -> None:
    # At noon in UTC it is tomorrow 14 hours ahead, and one in the morning 11 hours behind.
    settings.TIME_ZONE = zone
    assert dates.fixed("yesterday") == yesterday


def test_a_day_is_that_of_the_place_of_capture(alice: User, settings: Any) -> None:
    """A picture of the last minute of yesterday, at its place, is of yesterday, whatever the zone
    of the site."""
    image = upload(alice)
    yesterday = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    Image.objects.filter(pk=image.pk).update(captured_at=yesterday, ahead_of_utc=0)
    for zone, name in (("UTC", "yesterday"), ("Pacific/Kiritimati", "day-before-yesterday")):
        settings.TIME_ZONE = zone
        filters = syntax.parse(f"on:{name}").query.filters
        assert list(narrow(Image.objects.all(), filters, alice)) == [image]


# --- Pages, API, saved searches, history ----------------------------------------------


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    return fake_encoder(monkeypatch)


def _dated(owner: User, space: EmbeddingSpace, *days: date) -> list[Image]:
    images = [upload(owner, draw(colour=(200, 40 * number, 0))) for number in range(len(days))]
    for image, day in zip(images, days, strict=True):
        set_vector(image, space, (1.0, 0.0, 0.0))
        taken = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        Image.objects.filter(pk=image.pk).update(captured_at=taken, ahead_of_utc=0)
    return images


YESTERDAY, IN_2019 = date(2026, 11, 30), date(2019, 7, 14)


def test_pages_and_api_find_by_the_date(alice: User, space: EmbeddingSpace) -> None:
    old, new = _dated(alice, space, IN_2019, YESTERDAY)
    for line, wanted in (("red 2019", old), ("昨天的red", new), ("yesterday", new)):
        page = browser(alice).get(reverse("search"), {"q": line})
        assert tiles(page) == [str(wanted.pk)]
        assert 'data-note="date"' in page.content.decode()
        told = api(alice).get("/api/v1/search/", {"q": line}).json()
        assert [hit["image"]["id"] for hit in told["results"]] == [str(wanted.pk)]
        assert [note["code"] for note in told["notes"]] == ["date"]
        assert told["notes"][0]["as_typed"] == f'"{line}"'
    parsed = api(alice).post("/api/v1/search/parse/", {"q": "beach 2019"}).json()
    assert parsed["filters"] == {"taken_after": "2019-01-01", "taken_before": "2020-01-01"}


def test_texts_in_json_stay_as_they_are(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dated(alice, space, IN_2019, YESTERDAY)
    monkeypatch.setitem(WORDS, "2019", (1.0, 0.0, 0.0))
    sent = {"terms": [{"text": "red"}, {"text": "2019"}]}
    told = api(alice).post("/api/v1/search/", sent, format="json").json()
    assert (len(told["results"]), told["query"]) == (2, 'red "2019"')


def test_the_api_takes_moving_days(alice: User, space: EmbeddingSpace) -> None:
    _old, new = _dated(alice, space, IN_2019, YESTERDAY)
    asked = {"taken_after": "yesterday", "taken_before": "today"}
    found = api(alice).get("/api/v1/images/", asked).json()["results"]
    assert [image["id"] for image in found] == [str(new.pk)]
    refused = api(alice).get("/api/v1/images/", {"taken_after": "someday"})
    assert refused.status_code == 400


def test_a_saved_search_moves_with_the_calendar(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = _dated(alice, space, date(2026, 12, 1), YESTERDAY)
    saved = saved_searches.save(alice, "Fresh", syntax.parse("yesterday").query)
    saved.refresh_from_db()
    assert syntax.format(saved_searches.query_of(saved)) == "on:yesterday"
    assert list(smart_albums.matches(saved)) == [new.pk]
    monkeypatch.setattr(timezone, "now", lambda: TODAY + timedelta(days=1))
    cache.clear()
    assert list(smart_albums.matches(saved)) == [old.pk]


def test_further_pages_are_of_the_day_of_the_first(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dated(alice, space, YESTERDAY, YESTERDAY, date(2026, 12, 1))
    first = service.search_text("yesterday", alice, limit=1)
    assert first.next
    monkeypatch.setattr(timezone, "now", lambda: TODAY + timedelta(hours=12))
    last = service.continue_search(first.next, alice, limit=5)
    assert len(last.hits) == 1
    assert last.next is None


def test_a_selection_is_of_the_day_that_is_seen(alice: User, space: EmbeddingSpace) -> None:
    _dated(alice, space, YESTERDAY)
    page = browser(alice).get("/?on=yesterday").content.decode()
    assert "&quot;taken_after&quot;: &quot;2026-11-30&quot;" in page


def test_the_history_keeps_the_moving_day(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser(alice).get(reverse("search"), {"q": "red yesterday"})
    kept: Any = search_history.history_of(alice).values_list("text", flat=True)
    assert list(kept) == ["red on:yesterday"]
