"""The line of a query in two parts: the typed text, and pictures and ids beside it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from django.urls import reverse

from gallery.models import Album, Image, SavedSearch, User
from gallery.organising import saved_searches, search_history
from gallery.search.query import syntax
from gallery.web.searching import query_line
from tests.conftest import upload
from tests.factories import set_vector
from tests.web_tools import HTMX, attributes, browser, fake_encoder

pytestmark = pytest.mark.django_db

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture
def image(alice: User) -> Image:
    return upload(alice, title="My dog")


@pytest.fixture
def album(alice: User) -> Album:
    return Album.objects.create(owner=alice, title="Summer")


def test_what_ids_alone_say_is_held_and_told_in_words(
    alice: User, image: Image, album: Album
) -> None:
    text = f'like:{image.pk}[10,10,50,50]^1.5 "a beach" -people tag:sea album:{album.pk}'
    query = syntax.parse(text).query
    line = query_line.query_line_for(query, alice)
    assert line.typed == "a beach -people tag:sea"
    assert [part.line for part in line.held] == [
        f"like:{image.pk}[10,10,50,50]^1.5",
        f"album:{album.pk}",
    ]
    assert line.words == "a beach + 1 picture, without people, #sea, Album: Summer"
    assert not ID.search(line.words)
    assert syntax.parse(line.whole).query == query


@pytest.mark.parametrize("text", ["a beach -people", 'words:x "unclosed', "album:Summer", ""])
def test_what_can_be_typed_is_all_typed(alice: User, text: str) -> None:
    line = query_line.of_text(text, syntax.parse(text).query, alice)
    assert (line.typed, line.words, line.held) == (text, text, ())


def test_queries_are_told_in_a_few_words(alice: User, image: Image) -> None:
    other = upload(alice, title="My cat")
    told = {
        "a beach": "a beach",
        "a beach -people color:red": "a beach, without people, Red",
        f"like:{image.pk}": "My dog",
        f"like:{image.pk} tag:sea": "My dog, #sea",
        f"-like:{image.pk}": "without My dog",
        f"like:{image.pk} like:{other.pk}": "2 pictures",
        f"like:{image.pk} -like:{other.pk}": "1 picture, without 1 picture",
        f"a beach like:{image.pk} like:{other.pk}": "a beach + 2 pictures",
        "album:Summer": "Album: Summer",
    }
    lines = query_line.lines_of([syntax.parse(text).query for text in told], alice)
    assert [line.words for line in lines] == list(told.values())


def test_a_category_by_its_id_is_held(alice: User) -> None:
    """Once only an id that stood alone was; with a minus or a probability it was shown."""
    pk = "5a1d0b6e-6f3c-4f0c-9f62-0d4f1a2b3c4d"
    for value in (pk, f"-{pk}", f"{pk}>0.9"):
        line = query_line.query_line_for(syntax.parse(f'category:"{value}" red').query, alice)
        assert line.typed == "red"
        assert not ID.search(line.words)


def test_a_form_gives_back_the_whole_query(alice: User, image: Image, album: Album) -> None:
    """A quotation mark may be open, and the typed text may name an album."""
    query = syntax.parse(f"-like:{image.pk}^0.5 album:{album.pk} red").query
    line = query_line.query_line_for(query, alice)
    sent = QueryDict(mutable=True)
    sent.setlist("with", [part.line for part in line.held])
    sent["q"] = 'green "and blue'
    found = syntax.parse(query_line.joined(sent, "q")).query
    assert [(term.text, term.image, term.weight) for term in found.terms] == [
        ("", image.pk, -0.5),
        ("green", None, 1.0),
        ("and blue", None, 1.0),
    ]
    assert found.filters == {"album": str(album.pk)}
    sent["q"] = "album:Winter"
    assert syntax.parse(query_line.joined(sent, "q")).query.filters == {"album": "Winter"}


def test_the_search_bar_sends_what_it_holds_along(
    alice: User, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_vector(image, fake_encoder(monkeypatch), (1.0, 0.0, 0.0))
    client = browser(alice)
    page = client.get("/search/", {"q": f"red like:{image.pk}"})
    assert page.context["line"].typed == "red"
    assert "<title>red + 1 picture" in page.content.decode()
    assert "Results for red + 1 picture" in page.content.decode()
    sent = client.get("/search/", {"with": f"like:{image.pk}", "q": "green"})
    assert sent.status_code == 302
    (whole,) = parse_qs(urlsplit(sent["Location"]).query)["q"]
    assert whole == f"like:{image.pk} green"
    left = page.context["composer"].parts[1].without
    assert parse_qs(urlsplit(left).query)["q"] == ["red"], "each picture can be left out"


def test_history_and_suggestions_tell_no_ids(alice: User, image: Image) -> None:
    query = syntax.parse(f"like:{image.pk} red").query
    saved_searches.save(alice, "Dogs", query)
    search_history.note(alice, f"like:{image.pk} green")
    client = browser(alice)
    recent = client.get(reverse("searches_recent"), headers=HTMX)
    assert re.findall(r"<span>(.*?)</span>", recent.content.decode()) == [
        "red + 1 picture",
        "green + 1 picture",
    ]
    assert len(attributes(recent, "src")) == 2, "the picture is seen"
    assert f"like%3A{image.pk}" in attributes(recent, "data-run")[0]
    history = client.get(reverse("search_history"))
    assert "Erase My dog, green" in history.content.decode()


def test_a_saved_search_keeps_its_picture_when_its_words_change(alice: User, image: Image) -> None:
    saved = saved_searches.save(alice, "Dogs", syntax.parse(f"like:{image.pk} red").query)
    address = reverse("saved_search_edit", args=[saved.pk])
    client = browser(alice)
    assert client.get(address).context["text"] == "red"
    held = f"like:{image.pk}"
    client.post(address, {"name": "Dogs", "text": "green", "with": held})
    terms = SavedSearch.objects.get(pk=saved.pk).query["terms"]
    assert [term.get("text") or term.get("image") for term in terms] == [str(image.pk), "green"]
    client.post(address, {"name": "Dogs", "text": "green"})
    terms = SavedSearch.objects.get(pk=saved.pk).query["terms"]
    assert [term.get("text") for term in terms] == ["green"], "unticked, it is gone"


def test_the_queries_of_a_list_cost_the_same_however_many(
    alice: User, image: Image, django_assert_max_num_queries: object
) -> None:
    queries = [syntax.parse(f"like:{image.pk} word{number}").query for number in range(20)]
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        lines = query_line.lines_of([*queries, syntax.parse("plain").query], alice)
    assert lines[-1].typed == "plain"
    assert {line.held[0].chip.label for line in lines[:-1]} == {"My dog"}
