"""Saved searches, on pages and in the API. Two users test each rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from gallery.library import caps
from gallery.library.service import delete_image
from gallery.models import Album, SavedSearch, User
from gallery.organising import saved_searches
from gallery.search.query import syntax
from gallery.search.query.query import Query
from gallery.web.searching.query_chips import chips_of
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.factories import set_vector
from tests.web_tools import HTMX, attributes, browser, fake_encoder

pytestmark = pytest.mark.django_db

SEARCHES = "/api/v1/searches/"


def save(owner: User, text: str, name: str = "Mine") -> SavedSearch:
    return saved_searches.save(owner, name, syntax.parse(text).query)


def one(saved: SavedSearch) -> str:
    return f"{SEARCHES}{saved.pk}/"


# --- API --------------------------------------------------------------------------


def test_a_search_is_kept_in_either_form_and_told_in_both(alice: User, bob: User) -> None:
    made = api(alice).post(SEARCHES, {"name": " By  the sea ", "text": 'sea -people tag:"my dog"'})
    assert made.status_code == 201, made.content
    assert made.json()["name"] == "By the sea"
    assert made.json()["text"] == 'sea -people tag:"my dog"'
    as_json = {"terms": [{"text": "sea", "weight": 0.5}], "filters": {"favourite": True}}
    other = api(alice).post(SEARCHES, {"name": "a", "query": as_json}, format="json")
    assert other.json()["query"] == as_json
    assert other.json()["text"] == '"sea"^0.5 favourite:yes'

    listed = api(alice).get(SEARCHES).json()["results"]
    assert [row["name"] for row in listed] == ["a", "By the sea"]
    assert api(bob).get(SEARCHES).json()["results"] == []


def test_names_are_unique_in_any_case_for_each_owner(alice: User, bob: User) -> None:
    save(alice, "sea", "Ä sea")
    again = api(alice).post(SEARCHES, {"name": "ä SEA", "text": "lake"})
    assert again.status_code == 400
    assert code_of(again) == "name_taken"
    assert api(bob).post(SEARCHES, {"name": "ä SEA", "text": "lake"}).status_code == 201
    lake = save(alice, "lake", "Lake")
    assert code_of(api(alice).patch(one(lake), {"name": "Ä Sea"})) == "name_taken"
    assert api(alice).patch(one(lake), {"name": "LAKE"}).json()["name"] == "LAKE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x"}, "invalid"),
        ({"name": "x", "text": "a", "query": {}}, "invalid"),
        ({"name": "x", "text": "-"}, None),
        ({"name": "   ", "text": "sea"}, "blank"),
        ({"name": "x" * 201, "text": "sea"}, "name_too_long"),
        ({"name": "x", "query": {}}, "empty_query"),
        ({"name": "x", "query": {"terms": [{"text": "a", "weight": 9}]}}, "bad_weight"),
        ({"name": "x", "query": {"filters": {"nonsense": 1}}}, "unknown_name"),
        ({"name": "x", "text": "upload:0-abc"}, "upload_not_kept"),
        ({"name": "x", "text": "album:Nowhere"}, "no_such_album"),
        ({"name": "x", "text": "sea orientation:round"}, "invalid_choice"),
        ({"name": "x", "text": " ".join(f'"{n}"' for n in range(13))}, "too_many_terms"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(
    alice: User, body: dict[str, Any], code: str | None
) -> None:
    answer = api(alice).post(SEARCHES, body, format="json")
    if code is None:  # a minus alone is a text
        assert answer.status_code == 201
        return
    assert answer.status_code == 400, answer.content
    assert code_of(answer) == code
    assert answer.json()["errors"][0]["detail"]
    assert not SavedSearch.objects.exists()


def test_there_are_at_most_so_many(alice: User, bob: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(caps, "SAVED_SEARCHES", replace(caps.SAVED_SEARCHES, most=2))
    for number in range(2):
        save(alice, "sea", f"{number}")
    assert code_of(api(alice).post(SEARCHES, {"name": "x", "text": "a"})) == "too_many_searches"
    assert api(bob).post(SEARCHES, {"name": "x", "text": "a"}).status_code == 201


def test_it_is_its_owners_alone(alice: User, bob: User) -> None:
    saved = save(alice, "sea")
    for client in (api(bob), api()):
        for method in ("get", "patch", "delete"):
            assert getattr(client, method)(one(saved), {"name": "x"}).status_code == 404
        assert client.get(f"{one(saved)}results/").status_code == 404
        assert client.post(f"{one(saved)}album/").status_code == 404
        assert client.delete(f"{one(saved)}album/").status_code == 404
    saved.refresh_from_db()
    assert saved.name == "Mine"
    assert not Album.objects.exists()
    assert api().get(SEARCHES).status_code == 401


def test_its_results_are_what_the_search_finds_now(
    alice: User, bob: User, monkeypatch: Any
) -> None:
    space = fake_encoder(monkeypatch)
    red, green = upload(alice, draw(colour="red")), upload(alice, draw(colour="green"))
    hidden = upload(bob, draw(colour="maroon"))
    set_vector(red, space, (1, 0.1, 0))
    set_vector(green, space, (0.1, 1, 0))
    set_vector(hidden, space, (1, 0, 0))
    saved = save(alice, "red")
    page = api(alice).get(f"{one(saved)}results/", {"limit": 1}).json()
    assert [hit["image"]["id"] for hit in page["results"]] == [str(red.pk)]
    rest = api(alice).get(page["next"]).json()
    assert [hit["image"]["id"] for hit in rest["results"]] == [str(green.pk)]

    assert api(alice).patch(one(saved), {"text": "green"}).json()["text"] == "green"
    page = api(alice).get(f"{one(saved)}results/").json()
    assert page["results"][0]["image"]["id"] == str(green.pk)


def test_a_picture_of_the_query_that_is_gone_is_named(alice: User, monkeypatch: Any) -> None:
    space = fake_encoder(monkeypatch)
    image = upload(alice)
    set_vector(image, space, (1, 0, 0))
    saved = save(alice, f"red like:{image.pk}")
    assert api(alice).get(f"{one(saved)}results/").status_code == 200
    delete_image(image)
    answer = api(alice).get(f"{one(saved)}results/")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "terms.1.image"

    page = browser(alice).get(reverse("searches"))
    assert "a picture that is gone" in page.content.decode()
    glance = browser(alice).get(reverse("saved_search_glance", args=[saved.pk]), headers=HTMX)
    assert glance.status_code == 200
    assert answer.json()["errors"][0]["detail"] in glance.content.decode()


def test_an_album_is_kept_by_its_id(alice: User) -> None:
    album = Album.objects.create(owner=alice, title="Summer")
    saved = save(alice, "sea album:summer")
    assert saved.query["filters"] == {"album": str(album.pk)}
    Album.objects.filter(pk=album.pk).update(title="Winter")
    assert "Album: Winter" in browser(alice).get(reverse("searches")).content.decode()


def test_deleting_can_be_undone_by_its_owner_once(alice: User, bob: User) -> None:
    saved = save(alice, "sea", "Sea")
    undo = api(alice).delete(one(saved)).json()["undo"]
    assert not SavedSearch.objects.exists()
    assert api(bob).post(undo).status_code == 404
    save(alice, "lake", "sea")
    assert api(alice).post(undo).json() == {"restored": 1}
    back = SavedSearch.objects.get(pk=saved.pk)
    assert (back.name, back.query) == ("Sea 2", saved.query)
    assert api(alice).post(undo).status_code == 410


# --- Pages ------------------------------------------------------------------------


def test_the_dialog_suggests_a_name_and_says_what_comes_of_it(alice: User) -> None:
    client, new = browser(alice), reverse("saved_search_create")
    query = 'beach sunset -people "red car" on:2024-05 tag:dog'
    form = client.get(new, {"q": query}, headers=HTMX)
    suggested = "beach sunset, red car, without people, May 2024, #dog"
    assert suggested in attributes(form, "value")
    said = client.post(new, {"q": query, "name": suggested}, headers=HTMX)
    assert "is saved as" in said.content.decode()
    assert SavedSearch.objects.get(owner=alice).name == suggested
    # The same name again is refused. The page offers to replace the other search.
    again = client.post(new, {"q": "lake", "name": suggested}, headers=HTMX)
    assert again.status_code == 400
    assert "replace" in attributes(again, "name")
    done = client.post(new, {"q": "lake", "name": suggested, "replace": "1"}, headers=HTMX)
    assert done.status_code == 200
    assert saved_searches.query_of(SavedSearch.objects.get(owner=alice)) == Query.from_json(
        {"terms": [{"text": "lake"}]}
    )


def test_the_pages_are_their_owners_alone(alice: User, bob: User) -> None:
    saved = save(alice, "secret sea", "Secret")
    assert "Secret" not in browser(bob).get(reverse("searches")).content.decode()
    for name in ("saved_search_row", "saved_search_edit", "saved_search_glance"):
        assert browser(bob).get(reverse(name, args=[saved.pk])).status_code == 404
    for name in (
        "saved_search_edit",
        "saved_search_delete",
        "smart_album_make",
        "smart_album_stop",
    ):
        assert browser(bob).post(reverse(name, args=[saved.pk]), {"name": "x"}).status_code == 404
        assert browser().post(reverse(name, args=[saved.pk])).status_code == 302
    assert SavedSearch.objects.get().name == "Secret"


def test_a_row_is_changed_in_place(alice: User) -> None:
    saved = save(alice, "sea", "Sea")
    client, edit = browser(alice), reverse("saved_search_edit", args=[saved.pk])
    assert "sea" in attributes(client.get(edit, headers=HTMX), "value")
    wrong = client.post(edit, {"name": "", "text": "lake"}, headers=HTMX)
    assert wrong.status_code == 400
    assert "lake" in attributes(wrong, "value")
    changed = client.post(edit, {"name": "Lake", "text": "lake -boat"}, headers=HTMX)
    assert f"{reverse('search')}?q=lake+-boat" in attributes(changed, "href")
    assert client.post(edit, {"name": "Pond", "text": "pond"}).headers["Location"] == reverse(
        "searches"
    )


def test_deleting_on_the_page_offers_the_undo(alice: User) -> None:
    saved = save(alice, "sea", "Sea")
    client = browser(alice)
    page = client.post(reverse("saved_search_delete", args=[saved.pk]), follow=True)
    assert "Search “Sea” deleted." in page.content.decode()
    (undo,) = [address for address in attributes(page, "action") if "undo" in address]
    client.post(undo, follow=True)
    assert SavedSearch.objects.get().name == "Sea"


def test_a_glance_shows_what_the_owner_may_see(alice: User, bob: User, monkeypatch: Any) -> None:
    space = fake_encoder(monkeypatch)
    mine, foreign = upload(alice), upload(bob, draw(colour="blue"))
    for image in (mine, foreign):
        set_vector(image, space, (1, 0, 0))
    saved = save(alice, "red")
    page = browser(alice).get(reverse("saved_search_glance", args=[saved.pk]), headers=HTMX)
    assert attributes(page, "href") == [reverse("image", args=[mine.pk])]


def test_the_list_goes_on(alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr("gallery.web.searching.saved_searches.PAGE", 2)
    for number in range(3):
        save(alice, f"sea {number}", f"Search {number}")
    first = browser(alice).get(reverse("searches"))
    (more,) = [address for address in attributes(first, "hx-get") if "after=" in address]
    rest = browser(alice).get(more, headers=HTMX)
    assert "Search 2" in rest.content.decode()
    assert "Search 1" not in rest.content.decode()


def test_chips_tell_a_query_in_words(alice: User, bob: User) -> None:
    mine, foreign = upload(alice, title="My cat"), upload(bob, draw(colour="blue"))
    album = Album.objects.create(owner=bob, title="Secret")
    line = (
        f"like:{mine.pk}[0,0,50,50] -like:{foreign.pk} color:red color:#123456 size:>4.5mp"
        f" before:2024-05-03 owner:me owner:bob camera:X100 orientation:portrait favourite:no"
        f' visibility:unlisted archived:yes words:"summer 2019" album:{album.pk}'
    )
    (chips,) = chips_of([syntax.parse(line).query], alice)
    assert [chip.label for chip in chips] == [
        "a part of My cat",
        "a picture that is gone",
        "Until May 2, 2024",
        "4.5 MP or more",
        "Red",
        "#123456",
        "By bob",
        "X100",
        "Portrait",
        "No favourites",
        "Anyone with the link",
        "Archived",
        "Words: summer 2019",
        "Album: unknown",
    ]
    assert [chip.label for chip in chips if chip.gone] == [
        "a picture that is gone",
        "Album: unknown",
    ]
    assert [chip.minus for chip in chips[:2]] == [False, True]
    assert str(mine.pk) in chips[0].src
