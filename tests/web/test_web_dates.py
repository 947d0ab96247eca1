"""Dates in the filters of lists and searches: one choice, one chip."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.models import EmbeddingSpace, Image, User
from gallery.search.query import syntax
from tests.conftest import draw, upload
from tests.factories import set_vector
from tests.web_tools import browser, fake_encoder, tiles

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def the_first_of_december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def dated(owner: User, *days: str) -> list[Image]:
    images = [upload(owner, draw(colour=(9, 40 * n, owner.pk % 200))) for n in range(len(days))]
    for image, day in zip(images, days, strict=True):
        taken = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        Image.objects.filter(pk=image.pk).update(captured_at=taken, ahead_of_utc=0)
    return images


def chips(page: str) -> list[str]:
    """Return the labels of the chips of filters."""
    labels = re.findall(r'<a class="chip"[^>]*>(?:<i [^>]*></i>)?([^<]*)<span', page)
    return [label.strip() for label in labels]


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        ("on=2019", ["2019"]),
        ("on=2019-07", ["July 2019"]),
        ("on=2019-07-14", ["Jul 14, 2019"]),
        ("on=yesterday", ["Yesterday"]),
        ("on=last-30-days", ["Last 30 days"]),
        # Addresses with both ends stay valid.
        ("from=2019-01-01&to=2019-12-31", ["2019"]),
        ("from=2019-07-14&to=2019-07-14", ["Jul 14, 2019"]),
        ("from=2019-07-14&to=2019-07-20", ["From Jul 14, 2019", "Until Jul 20, 2019"]),
        ("from=2019-07-14&on=2018", ["From Jul 14, 2019"]),
    ],
)
def test_one_value_is_one_chip(alice: User, asked: str, labels: list[str]) -> None:
    page = browser(alice).get(f"/recent/?{asked}&tag=x").content.decode()
    assert chips(page) == [*labels, "#x"]


def test_chips_have_the_dates_of_the_language(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="zh-hans")
    alice.refresh_from_db()
    for asked, label in (("2019", "2019年"), ("2019-07", "2019年7月"), ("yesterday", "昨天")):
        page = browser(alice).get(f"/recent/?on={asked}").content.decode()
        assert chips(page) == [label]


def test_a_chip_removes_the_whole_date(alice: User) -> None:
    page = browser(alice).get("/recent/?from=2019-01-01&to=2019-12-31&tag=x").content.decode()
    assert 'class="chip" href="/recent/?tag=x"' in page


def test_lists_are_narrowed_by_a_span(alice: User) -> None:
    old, yesterday, today = dated(alice, "2019-07-14", "2026-11-30", "2026-12-01")
    for on, found in {
        "2019": [old],
        "2019-07": [old],
        "today": [today],
        "yesterday": [yesterday],
        "this-week": [today, yesterday],
        "last-month": [yesterday],
    }.items():
        shown = tiles(browser(alice).get("/recent/", {"on": on}))
        assert set(shown) == {str(image.pk) for image in found}, on


def test_the_years_are_those_that_the_visitor_sees(alice: User, bob: User) -> None:
    dated(alice, "2019-07-14", "2021-01-01", "2021-02-01")
    dated(bob, "2015-07-14")
    address = reverse("filter_years")
    years = re.findall(r'value="(\d+)"( selected)?', browser(alice).get(address).content.decode())
    assert years == [("2021", ""), ("2019", "")]
    years = re.findall(r'value="(\d+)"', browser(bob).get(address).content.decode())
    assert years == ["2015"]
    # The chosen year stays, with or without pictures; nothing else comes in from the address.
    page = browser(alice).get(address, {"on": "2018"}).content.decode()
    assert re.findall(r'value="(\d+)"( selected)?', page) == [
        ("2021", ""),
        ("2019", ""),
        ("2018", " selected"),
    ]
    page = browser(alice).get(address, {"on": "<b>20"}).content.decode()
    assert "<b>" not in page


def test_the_form_shows_what_was_chosen(alice: User) -> None:
    client = browser(alice)
    page = client.get("/recent/?on=yesterday").content.decode()
    assert '<option value="yesterday" selected>Yesterday</option>' in page
    page = client.get("/recent/?on=2019-07").content.decode()
    assert '<option value="2019-07" selected>July 2019</option>' in page
    page = client.get("/recent/?on=2019").content.decode()
    assert page.count('value="2019" selected') == 1
    page = client.get("/recent/?from=2019-07-14").content.decode()
    assert 'name="from" value="2019-07-14"' in page


def test_the_panel_of_a_search_keeps_moving_days(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    space: EmbeddingSpace = fake_encoder(monkeypatch)
    (image,) = dated(alice, "2026-11-30")
    set_vector(image, space, (1, 0, 0))
    client = browser(alice)
    page = client.get("/search/", {"q": "red yesterday"}).content.decode()
    assert '<option value="yesterday" selected>Yesterday</option>' in page
    assert chips(page) == ["Yesterday"]
    sent = {"q": "red", "filters": "1", "on": "yesterday", "camera": "X100"}
    line = client.get("/search/", sent).url
    assert "on%3Ayesterday" in line
    assert "camera%3AX100" in line


def test_the_button_counts_only_what_is_known(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words put all pictures in an order: how many fit is not known before the search."""
    fake_encoder(monkeypatch)
    dated(alice, "2019-07-14", "2019-07-15")
    client = browser(alice)
    asked = {"only": "count", "filters": "1", "on": "2019"}
    counted = client.get("/search/", asked, headers=HTMX).content.decode()
    assert "Show 2 pictures" in counted
    counted = client.get("/search/", {**asked, "q": "red"}, headers=HTMX).content.decode()
    assert "Show results" in counted
    assert "Show 2" not in counted
    counted = client.get("/search/", {**asked, "q": "red", "on": "2018"}, headers=HTMX)
    assert "Show 0 pictures" in counted.content.decode()


def test_completion_offers_moving_days(alice: User) -> None:
    client = browser(alice)

    def offered(line: str) -> list[str]:
        found = client.get(reverse("search_complete"), {"q": line, "at": len(line)}).json()
        return [option["label"] for option in found["options"]]

    assert offered("on:")[:3] == ["today", "yesterday", "2026-12"]
    assert offered("on:yes") == ["yesterday"]
    assert "last-week" in offered("on:last")
    for label in offered("on:last"):
        assert syntax.parse(f"on:{label}").notes == []
