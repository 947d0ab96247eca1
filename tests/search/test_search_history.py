"""The history of searches: recording, suggesting, erasing, switching off, exporting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone

from gallery.accounts.export_records import write_records
from gallery.models import SavedSearch, SearchRecord, User
from gallery.organising import saved_searches, search_history
from gallery.search.query import syntax
from tests.conftest import api, draw, upload
from tests.factories import set_vector
from tests.web_tools import HTMX, attributes, browser, fake_encoder

pytestmark = pytest.mark.django_db

HISTORY = "/api/v1/searches/history/"


def kept(user: User) -> list[str]:
    return list(search_history.history_of(user).values_list("text", flat=True))


def test_each_search_is_kept_once_the_last_on_top(alice: User, bob: User) -> None:
    for text in ("sea", "lake", " SEA ", "river", "sea", 'tag:dog  "a red car"^0.5'):
        search_history.note(alice, text)
    search_history.note(bob, "river")
    assert kept(alice) == ['"a red car"^0.5 tag:dog', "sea", "river", "SEA", "lake"]
    assert kept(bob) == ["river"]


SEA = "5a1d0b6e-6f3c-4f0c-9f62-0d4f1a2b3c4d"


@pytest.mark.parametrize(
    "session",
    [
        ("dog", "a dog on the beach", "a dog on the beach -people", "a dog on the beach tag:sun"),
        ("狗", "沙滩上的狗"),
        (f"like:{SEA}", f"like:{SEA}[10,10,50,50] red", f"red -like:{SEA}^0.5", "red wine"),
        ("color:red", "color:red after:2024", "dog color:red", "dog"),
        ("tag:sea", "tag:sea tag:sun"),
    ],
)
def test_a_session_of_refining_is_one_line(
    alice: User, bob: User, session: tuple[str, ...]
) -> None:
    search_history.note(alice, "a boat")
    search_history.note(bob, session[0])
    for text in session:
        search_history.note(alice, text)
    assert kept(alice) == [search_history._one_spelling(session[-1]), "a boat"]
    assert kept(bob) == [search_history._one_spelling(session[0])]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a red car", "a blue car"),
        ("car", "scarf"),
        ("狗", "猫"),
        ("dog color:red", "cat color:red"),
        ("color:red", "color:blue"),
        (f"like:{SEA}", "dog"),
    ],
)
def test_another_search_is_another_line(alice: User, first: str, second: str) -> None:
    search_history.note(alice, first)
    search_history.note(alice, second)
    assert kept(alice) == [second, first]


def test_what_is_refined_later_is_another_line(alice: User) -> None:
    search_history.note(alice, "dog")
    earlier = timezone.now() - search_history.REFINED_WITHIN - timedelta(minutes=1)
    search_history.history_of(alice).update(searched_at=earlier)
    search_history.note(alice, "dog beach")
    assert kept(alice) == ["dog beach", "dog"]
    # An older search is no part of the session either.
    search_history.note(alice, "a boat")
    search_history.note(alice, "dog beach sunset")
    assert kept(alice) == ["dog beach sunset", "a boat", "dog beach", "dog"]


@pytest.mark.parametrize("text", ["", "  ", "upload:0-abc", "sea upload:0-abc", "x" * 2001])
def test_what_cannot_be_searched_again_is_not_kept(alice: User, text: str) -> None:
    search_history.note(alice, text)
    assert kept(alice) == []


def test_nothing_is_kept_of_visitors_and_of_those_who_switched_it_off(alice: User) -> None:
    search_history.note(AnonymousUser(), "sea")
    search_history.switch(alice, keep=False)
    search_history.note(alice, "sea\x00")
    assert not SearchRecord.objects.exists()
    search_history.switch(alice, keep=True)
    search_history.note(alice, "sea\x00 \ud800")
    assert kept(alice) == ["sea"]


def test_only_the_latest_stay(alice: User, bob: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(search_history, "MAX_RECORDS", 3)
    search_history.note(bob, "river")
    for number in range(5):
        search_history.note(alice, f"sea {number}")
    assert kept(alice) == ["sea 4", "sea 3", "sea 2"]
    assert kept(bob) == ["river"]


# --- Where it comes from ------------------------------------------------------------


def test_searches_of_pages_and_api_are_noted_first_page_only(alice: User, monkeypatch: Any) -> None:
    space = fake_encoder(monkeypatch)
    for colour in ((1, 0, 0), (0, 1, 0)):
        image = upload(alice, draw(colour=tuple(200 * part for part in colour)))
        set_vector(image, space, colour)
    browser(alice).get(reverse("search"), {"q": "red"})
    page = api(alice).get("/api/v1/search/", {"q": "green", "limit": 1}).json()
    assert kept(alice) == ["green", "red"]
    moment = search_history.history_of(alice).get(text="green").searched_at
    api(alice).get(page["next"])
    assert search_history.history_of(alice).get(text="green").searched_at == moment
    query = {"terms": [{"text": "red", "weight": 0.5}]}
    assert api(alice).post("/api/v1/search/", query, format="json").status_code == 200
    assert kept(alice)[0] == '"red"^0.5'
    browser().get(reverse("search"), {"q": "red"})
    assert SearchRecord.objects.count() == 3
    # A refused search is not recorded.
    browser(alice).get(reverse("search"), {"q": "orientation:round"})
    assert SearchRecord.objects.count() == 3


# --- Erased and switched off --------------------------------------------------------


def test_the_api_reads_and_erases_ones_own(alice: User, bob: User) -> None:
    for text in ("sea", "lake"):
        search_history.note(alice, text)
    search_history.note(bob, "river")
    page = api(alice).get(HISTORY, {"limit": 1}).json()
    assert [row["text"] for row in page["results"]] == ["lake"]
    (sea,) = api(alice).get(page["next"]).json()["results"]
    assert sea["text"] == "sea"
    assert api(bob).delete(f"{HISTORY}{sea['id']}/").status_code == 404
    assert api(alice).delete(f"{HISTORY}{2**70}/").status_code == 404
    assert api(alice).delete(f"{HISTORY}{sea['id']}/").status_code == 204
    assert kept(alice) == ["lake"]
    assert api(alice).delete(HISTORY).status_code == 204
    assert (kept(alice), kept(bob)) == ([], ["river"])
    assert api().get(HISTORY).status_code == 401


def test_the_account_of_the_api_switches_it(alice: User) -> None:
    assert api(alice).get("/api/v1/account/").json()["keep_history"] is True
    answer = api(alice).patch("/api/v1/account/", {"keep_history": False}, format="json")
    assert answer.json()["keep_history"] is False
    alice.refresh_from_db()
    search_history.note(alice, "sea")
    assert kept(alice) == []


def test_the_page_shows_erases_and_switches(alice: User, bob: User) -> None:
    for text in ("sea", "lake -boat", "like:00000000-0000-0000-0000-000000000000"):
        search_history.note(alice, text)
    search_history.note(bob, "river")
    client = browser(alice)
    page = client.get(reverse("search_history"))
    assert f"{reverse('search')}?q=lake+-boat" in attributes(page, "href")
    assert "river" not in page.content.decode()
    foreign = search_history.history_of(bob).get()
    client.post(reverse("search_record_erase", args=[foreign.pk]), headers=HTMX)
    assert kept(bob) == ["river"]
    sea = search_history.history_of(alice).get(text="sea")
    gone = client.post(reverse("search_record_erase", args=[sea.pk]), headers=HTMX)
    assert (gone.status_code, gone.content) == (200, b"")
    assert len(kept(alice)) == 2

    client.post(reverse("search_history_switch"), {"keep": "no"})
    assert len(kept(alice)) == 2
    client.post(reverse("search_history_switch"), {"keep": "yes"})
    back = client.post(
        reverse("search_history_switch"),
        {"keep": "no", "erase": "1", "next": reverse("account_home")},
    )
    assert back.headers["Location"] == reverse("account_home")
    assert kept(alice) == []
    assert "switched off" in client.get(reverse("search_history")).content.decode()
    client.post(reverse("search_history_erase"))
    assert kept(bob) == ["river"]


# --- Offered, taken along, gone -------------------------------------------------------


def test_the_search_bar_offers_saved_and_recent_ones(alice: User, bob: User) -> None:
    recent = reverse("searches_recent")
    saved_searches.save(alice, "By the sea", syntax.parse("sea beach").query)
    for number in range(12):
        search_history.note(alice, f"lake {number}")
    search_history.note(alice, "sea beach")
    search_history.note(alice, "sea < deep")
    offered = browser(alice).get(recent, headers=HTMX)
    lines = [parse_qs(urlsplit(run).query)["q"][0] for run in attributes(offered, "data-run")]
    assert lines[:3] == ["sea beach", "sea < deep", "lake 11"]
    assert lines.count("sea beach") == 1
    assert len(lines) == 9
    assert "sea &lt; deep" in offered.content.decode()
    assert attributes(browser(alice).get(recent, {"q": "SEA"}, headers=HTMX), "data-kind") == [
        "saved",
        "recent",
    ]
    for other in (browser(bob), browser()):
        assert attributes(other.get(recent, headers=HTMX), "data-run") == []


def test_it_goes_along_with_the_export_and_with_the_account(alice: User, bob: User) -> None:
    search_history.note(alice, "海滩")
    search_history.note(bob, "river")
    saved_searches.save(alice, "Sea", syntax.parse("sea").query)
    told = "".join(write_records(alice, {}))
    assert '"海滩"' in told
    assert '"Sea"' in told
    assert "river" not in told
    alice.delete()
    assert not SavedSearch.objects.exists()
    assert [record.text for record in SearchRecord.objects.all()] == ["river"]
