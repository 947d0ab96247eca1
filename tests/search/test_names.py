"""One form of words and names: composed or not, in any case and width, without accents."""

from __future__ import annotations

import unicodedata
from importlib import import_module

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction

from gallery.accounts.roles import search_accounts
from gallery.errors import Refusal
from gallery.models import Album, AlbumItem, Image, SavedSearch, Tag, User
from gallery.organising import albums, saved_searches, tags
from gallery.search.filters.album_names import with_ids
from gallery.search.filters.image_filter import narrow
from gallery.search.query import syntax
from gallery.search.query.completion import complete
from gallery.search.query.query import Query
from gallery.sharing import groups
from gallery.sharing.people import find_person
from tests.conftest import api
from tests.search.test_words import picture
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def found(filters, viewer) -> set[str]:
    return {image.title for image in narrow(Image.objects.visible_to(viewer), filters, viewer)}


# The stored text, and what somebody types for it.
SAME = [
    ("Zürich am See", "zürich"),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("GROẞ", "groß"),
    ("ＳＥＡ", "sea"),
    ("sea", "ＳＥＡ"),
    ("ﬁsh", "FISH"),
    ("ΟΔΟΣ", "οδος"),
    ("ｶﾒﾗ", "カメラ"),
    ("Ångström", "\u212bngström"),
]
BARE = [
    ("Lübeck", "Lubeck"),
    ("façade", "facade"),
    ("façades", "facade"),
    ("đường phố Hà Nội", "duong"),
    ("Łódź", "lodz"),
    ("Ærø", "aero"),
    ("cœur", "coeur"),
    ("Þórsmörk", "thorsmork"),
    ("İstanbul", "istanbul"),
    ("Diyarbakır", "diyarbakir"),
    ("ёлка", "елка"),
    ("Αθήνα", "αθηνα"),
    ("كِتَابٌ", "كتاب"),
    ("שָׁלוֹם", "שלום"),
]
OTHERS = [
    ("Lübeck", "Lobeck"),
    ("schon", "schön"),
    ("the", "thé"),
    ("ハハ", "パパ"),
    ("か", "が"),
    ("กา", "กา้"),
    ("कि", "का"),
    ("Tor", "Thor"),
]


@pytest.mark.parametrize(("written", "typed"), SAME + BARE)
def test_words_and_names_are_found_however_they_are_typed(written, typed, alice, bob):
    for number, text in enumerate((written, decomposed(written))):
        shown = picture(alice, f"{number}. {text}")
        tags.set_tags(shown, [text.split()[0]])
    both = {"0. " + written, "1. " + decomposed(written)}
    for line in (typed, decomposed(typed)):
        assert found({"words": line}, alice) == both, "own"
        assert found({"words": line}, bob) == both, "of others"
        assert found({"words": line}, AnonymousUser()) == both
    name = typed if " " not in written else written.split()[0].upper()
    assert Tag.objects.count() == 1
    for line in (name, decomposed(name)):
        assert found({"tag": line}, alice) == (both if written != "façades" else set())


@pytest.mark.parametrize(("written", "typed"), OTHERS)
def test_other_letters_are_other_words(written, typed, alice):
    picture(alice, written, tags=[written])
    assert found({"words": typed}, alice) == set()
    if typed not in ("schön", "thé"):  # the only tag that fits
        assert found({"tag": typed}, alice) == set()


def test_a_tag_with_marks_is_another_one_than_without(alice):
    for name in ("resume", "résumé"):
        picture(alice, name, tags=[name])
    assert found({"tag": "résumé"}, alice) == {"résumé"}
    assert found({"tag": decomposed("RÉSUMÉ")}, alice) == {"résumé"}
    assert found({"tag": "Resume"}, alice) == {"resume", "résumé"}
    assert found({"tag": "resumé"}, alice) == {"resume", "résumé"}, "nobody has just this"


def test_marks_give_no_right_to_search_by_what_is_not_ones_own(alice, bob):
    picture(alice, "Shown", "", "Façade.jpg", tags=["Lübeck"])
    for viewer in (bob, AnonymousUser()):
        for word in ("facade", "façade", "lubeck", "Lübeck"):
            assert found({"words": word}, viewer) == set()
        assert found({"tag": "lubeck"}, viewer) == set()
    assert found({"words": "facade"}, alice) == found({"words": "lubeck"}, alice) == {"Shown"}


def test_tags_of_one_name_are_one_tag(alice):
    shown = picture(alice, "Shown")
    tags.set_tags(shown, ["Straße", "STRASSE", "ＳＥＡ", "sea", decomposed("café"), "café"])
    assert Tag.objects.filter(owner=alice).count() == 3
    with pytest.raises(IntegrityError), transaction.atomic():
        Tag.objects.create(owner=alice, name="strasse")
    street = Tag.objects.named(alice, "STRASSE")
    other = Tag.objects.create(owner=alice, name="Weg")
    assert tags.rename(other, "strasse").pk == street.pk, "merged"


@pytest.mark.parametrize("filters", [{"owner": "josé"}, {"owner": "jose"}, {"owner": "JOSE"}])
def test_owners_are_found_however_they_are_typed(filters, bob):
    jose = User.objects.create_user(decomposed("josé"), password="x")
    assert jose.username == "josé"
    picture(jose, "Sea")
    picture(bob, "Wood")
    composed = dict(filters)
    assert found(composed, bob) == {"Sea"}
    assert found({"owner": decomposed(filters["owner"])}, bob) == {"Sea"}
    assert find_person(decomposed("josé"), bob) == jose
    assert list(search_accounts(decomposed("Josè")[:3])) == [jose]
    User.objects.create_user("jose", password="x")
    assert found({"owner": "jose"}, bob) == set(), "a name that somebody has means them"


def test_cameras_are_found_however_they_are_typed(alice):
    shown = picture(alice, "Sea")
    Image.objects.filter(pk=shown.pk).update(camera="Caméra Lumière II")
    for typed in ("camera lumiere ii", "LUMIÈRE", decomposed("lumière"), "ＣＡＭＥＲＡ"):
        assert found({"camera": typed}, alice) == {"Sea"}, typed
    assert found({"camera": "lumiera"}, alice) == set()


# --- Albums -----------------------------------------------------------------------


def album_with(owner, title, image) -> Album:
    album = albums.create(owner, title)
    AlbumItem.objects.create(album=album, image=image, position=1)
    return album


def test_a_title_stands_for_all_albums_that_have_it(alice, bob):
    images = [picture(alice, f"{number}") for number in range(4)]
    titles = ["Summer", "summer", decomposed("Sümmer"), "Summer 2"]
    for image, title in zip(images, titles, strict=True):
        album_with(alice, title, image)
    hidden = album_with(bob, "Summer", picture(bob, "not to be seen", visibility="private"))
    named = with_ids({"album": " Summer "}, alice)
    assert str(hidden.pk) not in named["album"]
    assert found(named, alice) == {"0", "1", "2"}
    assert found(with_ids({"album": "SÜMMER"}, alice), alice) == {"2"}
    assert found(with_ids({"album": "summer 2"}, alice), alice) == {"3"}
    with pytest.raises(Refusal):
        narrow(Image.objects.all(), {**named, "order": "album"}, alice)
    with pytest.raises(Refusal):
        with_ids({"album": "Winter"}, alice)


def test_a_saved_search_keeps_a_title_that_several_albums_have(alice):
    first = album_with(alice, "Trip", picture(alice, "1"))
    query = syntax.parse("album:trip").query
    alone = saved_searches.save(alice, "one", query)
    assert saved_searches.query_of(alone).filters == {"album": str(first.pk)}
    album_with(alice, "TRIP", picture(alice, "2"))
    both = saved_searches.save(alice, "both", query)
    kept = saved_searches.query_of(both)
    assert kept.filters == {"album": "trip"}
    assert found(with_ids(kept.filters, alice), alice) == {"1", "2"}


def test_the_panel_leaves_alone_what_it_cannot_choose(alice):
    for number in range(2):
        album_with(alice, "Trip", picture(alice, f"{number}"))
    page = browser(alice).get("/search/", {"q": "album:trip", "filters": "1"}, follow=True)
    assert "album:trip" in page.content.decode() or "album%3Atrip" in page.content.decode()


# --- Names that are given -----------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "\u200b",
        "\u2060\ufeff",
        "\u00ad",
        "\u3164",
        "\u2800 \u2800",
        "\u202e",
        "\ufe0f",
        " \u00a0\u3000",
    ],
)
def test_what_cannot_be_seen_is_no_name(name, alice):
    query = Query(filters={"favourite": True})
    for give in (
        lambda: albums.create(alice, name),
        lambda: saved_searches.save(alice, name, query),
        lambda: groups.create_group(alice, name),
        lambda: tags.rename(Tag.objects.create(owner=alice, name="x"), name),
    ):
        with pytest.raises(Refusal):
            give()
    assert tags.clean_names([name]) == []
    answer = api(alice).post("/api/v1/albums/", {"title": name})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "title"


def test_joiners_and_selectors_stay_in_names_that_are_seen(alice):
    for title in ("👩‍👩‍👧", "❤️", "می‌خواهم"):
        assert albums.create(alice, title).title == title


def test_saved_searches_of_one_name_are_one(alice):
    query = Query(filters={"favourite": True})
    saved_searches.save(alice, "Straße", query)
    with pytest.raises(Refusal) as refused:
        saved_searches.save(alice, decomposed("STRASSE"), query)
    assert refused.value.code == "name_taken"
    assert saved_searches.free_name(alice, "strasse") == "strasse 2"
    assert SavedSearch.objects.count() == 1


# --- What is offered while typing -----------------------------------------------------


@pytest.mark.parametrize("typed", ["tag:caf", "tag:CAFE", decomposed("tag:café"), "cafe"])
def test_completion_offers_what_is_meant(typed, alice):
    picture(alice, "Cup", tags=["Café"])
    assert "tag:Café" in {one.text.strip() for one in complete(typed, len(typed), alice)}


def test_lists_are_searched_by_what_is_meant(alice):
    album_with(alice, "Été 100%", picture(alice, "1"))
    for typed in ("ete", decomposed("ÉTÉ"), "100%"):
        assert "Été 100%" in browser(alice).get("/albums/", {"q": typed}).content.decode()
    assert "Été 100%" not in browser(alice).get("/albums/", {"q": "1_0"}).content.decode()
    saved_searches.save(alice, "Zürich", Query(filters={"favourite": True}))
    assert "Zürich" in browser(alice).get("/search/recent/", {"q": "zurich"}).content.decode()


def test_a_line_is_composed_when_it_is_read():
    query = syntax.parse(decomposed("tag:café album:Été camera:Lumière words:Zürich")).query
    assert query.filters == {
        "tag": ["café"], "album": "Été", "camera": "Lumière", "words": "Zürich",
    }  # fmt: skip


# --- Rows from before ------------------------------------------------------------------


def test_rows_from_before_become_one_form(alice, bob):
    migration = import_module("gallery.migrations.0012_names_and_copies")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX tag_name_once_per_owner")
        cursor.execute("DROP INDEX saved_search_name_once")
    images = [picture(alice, decomposed(f"Été {number}")) for number in range(3)]
    for image, name in zip(images, ("Straße", "STRASSE", decomposed("Été")), strict=True):
        Tag.objects.create(owner=alice, name=name).images.add(image, images[0])
    Tag.objects.create(owner=bob, name="strasse")
    query = {"filters": {"favourite": True}}
    for name in ("Sea", "ＳＥＡ", "sea 2"):
        SavedSearch.objects.create(owner=alice, name=name, query=query)
    with connection.schema_editor() as editor:
        migration.compose(None, editor)
        migration.merge_tags(None, editor)
        migration.number_searches(None, editor)
    assert set(Image.objects.values_list("title", flat=True)) == {"Été 0", "Été 1", "Été 2"}
    street, _summer = (Tag.objects.get(owner=alice, name=name) for name in ("Straße", "Été"))
    assert Tag.objects.filter(owner=alice).count() == 2
    assert set(street.images.all()) == set(images[:2])
    assert Tag.objects.filter(owner=bob).count() == 1
    names = set(SavedSearch.objects.values_list("name", flat=True))
    assert names == {"Sea", "ＳＥＡ 3", "sea 2"}


def test_an_album_is_found_by_what_pages_show_of_its_title(alice):
    """Pages show several spaces as one."""
    album = albums.create(alice, "two  spaces")

    for typed in ("two spaces", "two  spaces"):
        assert with_ids({"album": typed}, alice) == {"album": [str(album.pk)]}
