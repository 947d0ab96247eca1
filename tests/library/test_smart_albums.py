"""Smart albums: the pictures that enter, those that never do, and the updates."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from gallery import task_names, tasks
from gallery.errors import Unavailable
from gallery.library.service import delete_image
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Embedding,
    EmbeddingSpace,
    Image,
    SavedSearch,
    User,
)
from gallery.organising import albums, bulk, changes, favourites, saved_searches, smart_albums, tags
from gallery.search.query import syntax
from gallery.search.relevance import relevance
from gallery.search.relevance.relevance import Judgement
from gallery.uploads import album_target, metadata
from tests.api_tools import code_of, sample, with_worker
from tests.conftest import api, draw, upload, wait_for
from tests.factories import set_vector
from tests.sweeping import ring_for_all
from tests.web_tools import HTMX, attributes, browser, fake_encoder, tiles

pytestmark = pytest.mark.django_db

RED, REDDISH, GREEN = (1, 0, 0), (1, 0.4, 0), (0, 1, 0)


@pytest.fixture
def space(monkeypatch: Any) -> EmbeddingSpace:
    """A model that knows "red" and "green". Scores under 0.9 are no match."""
    monkeypatch.setattr(relevance, "judge", lambda *_, **__: Judgement(line=0.9, spread=1e-6))
    return fake_encoder(monkeypatch)


_shades = (f"#{number:06x}" for number in range(1, 2**24))


def picture(
    owner: User, space: EmbeddingSpace | None = None, vector: Any = None, **fields: Any
) -> Image:
    """Create a picture unlike all others. With `space` it is encoded."""
    image = upload(owner, draw(colour=next(_shades), format="PNG"), **fields)
    if space is not None:
        set_vector(image, space, vector)
        Embedding.objects.filter(image=image).update(encoded_at=timezone.now())
    return image


def smart(owner: User, text: str, name: str = "Smart") -> SavedSearch:
    saved = saved_searches.save(owner, name, syntax.parse(text).query)
    smart_albums.make(saved)
    return saved


def inside(saved: SavedSearch) -> list[Any]:
    items = AlbumItem.objects.filter(album=saved.album).order_by("position", "pk")
    return list(items.values_list("image_id", flat=True))


# --- What comes in ------------------------------------------------------------------


def test_the_owners_own_pictures_above_the_line_and_no_others(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    near, edge, far = (picture(alice, space, vector) for vector in (RED, REDDISH, GREEN))
    picture(bob, space, RED, visibility="public")
    shared = Album.objects.create(owner=bob, title="For alice")
    AlbumItem.objects.create(album=shared, image=picture(bob, space, RED), position=1)
    AlbumShare.objects.create(album=shared, user=alice)
    saved = smart(alice, "red")
    assert inside(saved) == [near.pk, edge.pk]
    assert far.pk not in inside(saved)
    # They stay out even if the search asks for them.
    assert inside(smart(alice, "red owner:bob", "of bob")) == []
    assert inside(smart(alice, "owner:bob", "all of bob")) == []
    assert inside(smart(alice, f"red album:{shared.pk}", "in the album")) == []


def test_words_of_titles_count_and_without_a_line_the_best_hundred(
    alice: User, space: EmbeddingSpace, monkeypatch: Any
) -> None:
    near, named = picture(alice, space, RED), picture(alice, space, GREEN, title="Red carpet")
    far = picture(alice, space, GREEN)
    assert set(inside(smart(alice, "red"))) == {near.pk, named.pk}
    monkeypatch.setattr(relevance, "judge", lambda *_, **__: Judgement())
    monkeypatch.setattr(smart_albums, "MAX_WITHOUT_LINE", 2)
    assert set(inside(smart(alice, "red", "unknown"))) == {near.pk, named.pk}
    monkeypatch.setattr(smart_albums, "MAX_WITHOUT_LINE", 100)
    assert len(inside(smart(alice, "red", "more"))) == 3
    assert far.pk in inside(smart(alice, "green", "others"))


def test_the_best_of_very_many_results_enter(
    alice: User, space: EmbeddingSpace, monkeypatch: Any
) -> None:
    monkeypatch.setattr(smart_albums, "MAX_MATCHES", 3)
    monkeypatch.setattr("gallery.search.service.MAX_LIMIT", 2)
    shades = [picture(alice, space, (1, 0.01 * number, 0)) for number in range(5)]
    assert inside(smart(alice, "red")) == [image.pk for image in shades[:3]]
    monkeypatch.setattr(smart_albums, "MAX_FILTERED", 2)
    assert set(inside(smart(alice, "owner:me", "all"))) == {image.pk for image in shades[3:]}


def test_filters_alone_need_no_encoder_and_no_vectors(alice: User, bob: User) -> None:
    tagged, other = picture(alice), picture(alice, visibility="public")
    tags.set_tags(tagged, ["dog"])
    favourites.mark(alice, [tagged.pk, picture(bob, visibility="public").pk])
    assert inside(smart(alice, "tag:dog", "dogs")) == [tagged.pk]
    assert inside(smart(alice, "favourite:yes", "liked")) == [tagged.pk]
    assert inside(smart(alice, "visibility:public", "public")) == [other.pk]
    # The trash, and albums of others with that name, do not count.
    delete_image(tagged)
    dogs = SavedSearch.objects.get(name="dogs")
    assert smart_albums.fill(dogs.pk)
    assert inside(dogs) == []


def test_whatever_happens_the_album_equals_the_search_and_nobody_elses_is_in_it(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    """Random worlds of two people change at random, and albums are filled again."""
    chance = random.Random(5)
    saved = smart(alice, "red", "reds")
    by_filter = smart(alice, "visibility:public", "public ones")
    pictures: list[Image] = []
    for _step in range(25):
        act = chance.randrange(4)
        if act < 2 or not pictures:
            owner = chance.choice([alice, alice, bob])
            shown = chance.choice(["public", "private"])
            vector = chance.choice([RED, REDDISH, GREEN])
            pictures.append(picture(owner, space, vector, visibility=shown))
        elif act == 2:
            image = pictures.pop(chance.randrange(len(pictures)))
            delete_image(image)
        else:
            set_vector(chance.choice(pictures), space, chance.choice([RED, GREEN]))
        before = inside(saved)
        for one in (saved, by_filter):
            assert smart_albums.fill(one.pk)
        own = Image.objects.filter(owner=alice, deleted_at=None)
        red = {
            entry.image_id
            for entry in Embedding.objects.filter(image__in=own)
            if entry.vector[0] >= 0.9
        }
        assert set(inside(saved)) == red
        assert set(inside(by_filter)) == set(
            own.filter(visibility="public").values_list("pk", flat=True)
        )
        # Pictures that stay keep their position, and new ones come after them.
        staying = [pk for pk in before if pk in red]
        assert inside(saved)[: len(staying)] == staying


# --- When it is filled --------------------------------------------------------------


def test_places_by_hand_stay_and_nothing_is_touched_without_need(
    alice: User, space: EmbeddingSpace
) -> None:
    first, second = picture(alice, space, RED), picture(alice, space, REDDISH)
    saved = smart(alice, "red")
    assert saved.album is not None
    albums.move(saved.album, [second.pk], first.pk, alice)
    changed = Album.objects.get(pk=saved.album_id).updated_at
    assert smart_albums.fill(saved.pk)
    assert Album.objects.get(pk=saved.album_id).updated_at == changed
    third = picture(alice, space, RED)
    assert smart_albums.fill(saved.pk)
    assert inside(saved) == [second.pk, first.pk, third.pk]


def test_it_is_due_after_new_vectors_another_query_and_an_hour(
    alice: User, space: EmbeddingSpace, dispatched: list[Any]
) -> None:
    saved = smart(alice, "red")
    assert not smart_albums.due().exists()
    image = picture(alice, space, RED)
    assert smart_albums.due().exists()
    # The sweep waits for a while. The end of the indexing does not.
    assert not smart_albums.due(rest=smart_albums.FRESH).exists()
    tasks.fill_smart_albums()
    assert inside(saved) == [image.pk]
    assert not smart_albums.due().exists()

    answer = api(alice).patch(f"/api/v1/searches/{saved.pk}/", {"text": "green"})
    assert answer.json()["filled_at"] is None
    assert dispatched[-1] == (task_names.FILL_SMART_ALBUMS, str(saved.pk))
    tasks.fill_smart_albums(str(saved.pk))
    assert inside(saved) == []

    dispatched.clear()
    page = reverse("album", args=[saved.album_id])
    browser(alice).get(page)
    assert dispatched == []
    SavedSearch.objects.update(filled_at=timezone.now() - timedelta(minutes=2))
    browser(alice).get(page)
    assert dispatched == [(task_names.FILL_SMART_ALBUMS, str(saved.pk))]
    # Nobody reports a new tag or date: the album is checked again after an hour.
    Embedding.objects.update(encoded_at=timezone.now() - timedelta(hours=3))
    assert not smart_albums.due().exists()
    SavedSearch.objects.update(filled_at=timezone.now() - timedelta(minutes=61))
    assert smart_albums.due().exists()


def test_while_the_encoder_is_down_it_keeps_what_it_has(
    alice: User, space: EmbeddingSpace, monkeypatch: Any
) -> None:
    image = picture(alice, space, RED)
    saved = smart(alice, "red")
    filled_at = SavedSearch.objects.get().filled_at

    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("encoder_down", "The encoder is not running.")

    monkeypatch.setattr("gallery.encoders.client.encode_texts", down)
    picture(alice, space, RED)
    delete_image(picture(alice, space, RED))
    other = smart(alice, "red", "made meanwhile")
    filtered = smart(alice, "owner:me", "without terms")
    picture(alice, space, RED)
    tasks.fill_smart_albums()
    assert inside(saved) == [image.pk]
    assert SavedSearch.objects.get(pk=saved.pk).filled_at == filled_at
    assert SavedSearch.objects.get(pk=other.pk).filled_at is None
    assert len(inside(filtered)) == 3
    assert (
        "being filled"
        in browser(alice).get(reverse("album", args=[other.album_id])).content.decode()
    )


def test_where_a_part_of_the_search_is_gone_it_keeps_what_it_has_and_says_so(
    alice: User, space: EmbeddingSpace
) -> None:
    asked, image = picture(alice, space, RED), picture(alice, space, RED)
    saved = smart(alice, f"like:{asked.pk}")
    assert inside(saved) == [image.pk]
    delete_image(asked)
    assert smart_albums.fill(saved.pk) is False
    assert inside(saved) == [image.pk]
    page = browser(alice).get(reverse("album", args=[saved.album_id]))
    assert "a part of the search is gone" in page.content.decode()
    # Another query is tried at once.
    saved_searches.update(saved, query=syntax.parse("green").query)
    assert smart_albums.fill(saved.pk)
    assert inside(saved) == []


def test_in_the_trash_and_of_a_closed_account_it_is_left_alone(
    alice: User, space: EmbeddingSpace
) -> None:
    saved = smart(alice, "red")
    assert saved.album is not None
    albums.trash(saved.album)
    image = picture(alice, space, RED)
    assert not smart_albums.due().exists()
    assert smart_albums.fill(saved.pk) is False
    albums.restore(saved.album)
    assert smart_albums.fill(saved.pk)
    assert inside(saved) == [image.pk]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert smart_albums.fill(saved.pk) is False


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_leave_the_newest_answer(
    alice: User, space: EmbeddingSpace, monkeypatch: Any
) -> None:
    """The slow worker searched before the newest picture came. It must not remove that picture."""
    saved = smart(alice, "red")
    first = picture(alice, space, RED)
    searched, go_on = threading.Event(), threading.Event()
    real = smart_albums.matches

    def slow(one: SavedSearch) -> Any:
        found = real(one)
        if threading.current_thread() is worker and not searched.is_set():
            searched.set()
            assert go_on.wait(10)
        return found

    def work() -> None:
        try:
            results.append(smart_albums.fill(saved.pk))
        finally:
            connection.close()

    results: list[bool] = []
    worker = threading.Thread(target=work)
    monkeypatch.setattr(smart_albums, "matches", slow)
    worker.start()
    assert searched.wait(10)
    second = picture(alice, space, RED)
    assert smart_albums.fill(saved.pk)
    go_on.set()
    worker.join(10)
    assert results == [True]
    assert inside(saved) == [first.pk, second.pk]


# --- By hand ------------------------------------------------------------------------


def test_nothing_is_added_or_taken_out_by_hand(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    image, other = picture(alice, space, RED), picture(alice, space, GREEN)
    of_bob = picture(bob)
    saved = smart(alice, "red")
    album = saved.album
    assert album is not None
    AlbumShare.objects.create(album=album, user=bob, role="manage")
    address = f"/api/v1/albums/{album.pk}/images/"
    for user, chosen in ((alice, other), (bob, of_bob)):
        body = {"selection": {"ids": [str(chosen.pk)]}}
        assert code_of(api(user).post(address, body, format="json")) == "fills_itself"
        act = {**body, "action": "add_to_album", "album": str(album.pk)}
        assert code_of(api(user).post("/api/v1/images/bulk/", act, format="json")) == "fills_itself"
        open_ones = api(user).get("/api/v1/albums/", {"show": "open"}).json()["results"]
        assert open_ones == []
    body = {"selection": {"ids": [str(image.pk)]}}
    assert code_of(api(alice).post(f"{address}remove/", body, format="json")) == "fills_itself"
    refused = album_target.put_into_album(other, album.pk, alice)
    assert refused is not None
    assert refused.code == "fills_itself"
    with pytest.raises(Exception, match="no such album"):
        metadata.open_album(album.pk, alice)
    assert inside(saved) == [image.pk]

    page = browser(alice).get(reverse("album", args=[album.pk]))
    assert reverse("album_add", args=[album.pk]) not in attributes(page, "href")
    assert "remove_from_album" not in attributes(page, "data-act")
    assert browser(alice).get(reverse("album_add", args=[album.pk])).status_code == 400
    picks = browser(alice).get(reverse("albums_pick"), headers=HTMX)
    assert str(album.pk) not in attributes(picks, "data-pick")
    assert api(alice).get(f"/api/v1/albums/{album.pk}/").json()["fills_itself"] is True


def test_its_people_see_it_grow_but_not_what_it_searches_for(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    saved = smart(alice, "red", "Secret search")
    assert saved.album is not None
    albums.update(saved.album, title="For bob")
    panel = browser(alice).get(reverse("album_sharing", args=[saved.album_id]), headers=HTMX)
    assert "fits its search later" in panel.content.decode()
    AlbumShare.objects.create(album=saved.album, user=bob)
    image = picture(alice, space, RED)
    assert smart_albums.fill(saved.pk)
    page = browser(bob).get(reverse("album", args=[saved.album_id]))
    assert tiles(page) == [str(image.pk)]
    assert "Secret search" not in page.content.decode()
    assert "Fills itself from a saved search of its owner" in page.content.decode()
    assert (
        "Secret search"
        in browser(alice).get(reverse("album", args=[saved.album_id])).content.decode()
    )
    stop = reverse("smart_album_stop", args=[saved.pk])
    assert browser(bob).post(stop).status_code == 404


# --- Making and ending ----------------------------------------------------------------


def test_the_api_makes_one_for_each_search(alice: User, bob: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, RED)
    saved = saved_searches.save(alice, "Reds", syntax.parse("red").query)
    address = f"/api/v1/searches/{saved.pk}/album/"
    made = api(alice).post(address)
    assert made.status_code == 200, made.content
    assert (made.json()["title"], made.json()["count"]) == ("Reds", 1)
    assert api(alice).post(address).json()["id"] == made.json()["id"]
    told = api(alice).get(f"/api/v1/searches/{saved.pk}/").json()
    assert told["album"] == made.json()["id"]
    assert told["filled_at"]
    own = {"text": f"album:{told['album']}"}
    assert code_of(api(alice).patch(f"/api/v1/searches/{saved.pk}/", own)) == "fills_from_itself"

    undo = api(alice).delete(address).json()["undo"]
    again = api(alice).delete(address).json()
    assert again == {"undo": None}
    album = Album.objects.get(pk=told["album"])
    assert albums.add_images(album, Image.objects.filter(pk=picture(alice).pk), alice) == 1
    # The user has changed it since: those changes stay.
    assert api(alice).post(undo).json() == {"restored": 0}
    assert AlbumItem.objects.filter(album=album, image=image).exists()


def test_stopping_keeps_the_pictures_and_can_be_undone(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, RED)
    saved = smart(alice, "red")
    client = browser(alice)
    page = client.post(reverse("smart_album_stop", args=[saved.pk]), follow=True)
    assert "Its pictures stay" in page.content.decode()
    assert tiles(page) == [str(image.pk)]
    later = picture(alice, space, RED)
    assert not smart_albums.due().exists()
    (undo,) = [address for address in attributes(page, "action") if "undo" in address]
    client.post(undo)
    tasks.fill_smart_albums()
    assert inside(saved) == [image.pk, later.pk]


def test_deleting_the_search_keeps_the_album_and_undo_fills_it_again(
    alice: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, RED)
    saved = smart(alice, "red")
    album = Album.objects.get(pk=saved.album_id)
    change = saved_searches.delete(SavedSearch.objects.get())
    assert list(album.items.values_list("image_id", flat=True)) == [image.pk]
    assert smart_albums.of_album(album) is None
    assert changes.undo(change.pk, alice) == 1
    picture(alice, space, RED)
    tasks.fill_smart_albums()
    assert album.items.count() == 2
    # Deleted again, with an album that the user has changed: both stay separate.
    change = saved_searches.delete(SavedSearch.objects.get())
    bulk.run("remove_from_album", {"ids": [str(image.pk)]}, alice, album=album.pk)
    changes.undo(change.pk, alice)
    assert SavedSearch.objects.get().album is None


def test_an_album_in_the_trash_gives_way_to_a_new_one(alice: User, space: EmbeddingSpace) -> None:
    saved = smart(alice, "red")
    first = Album.objects.get(pk=saved.album_id)
    albums.trash(first)
    assert smart_albums.make(saved) != first
    albums.restore(first)
    assert smart_albums.of_album(first) is None


def test_the_first_filling_is_watched(alice: User, bob: User, space: EmbeddingSpace) -> None:
    saved = smart(alice, "red")
    state = reverse("smart_album_state", args=[saved.album_id])
    SavedSearch.objects.update(filled_at=None)
    page = browser(alice).get(reverse("album", args=[saved.album_id]))
    (watched,) = [address for address in attributes(page, "hx-get") if "filling" in address]
    assert "HX-Refresh" not in browser(alice).get(watched, headers=HTMX).headers
    assert smart_albums.fill(saved.pk)
    assert browser(alice).get(watched, headers=HTMX).headers["HX-Refresh"] == "true"
    assert browser(bob).get(state, headers=HTMX).status_code == 404


# --- With real workers ----------------------------------------------------------------


@with_worker
def test_photographs_find_their_album_by_themselves(
    alice: User, bob: User, encoder_worker: Any, media_worker: Any
) -> None:
    """A search for cats gets the cat that alice uploads later, and never the public one of bob."""
    rocket = upload(alice, sample("rocket.jpg"))
    foreign = upload(bob, sample("chelsea.png"), visibility="public")
    wait_for(lambda: Embedding.objects.count() == 2, what="two vectors")
    saved = smart(alice, "tag:cat", "Cats by tag")
    by_words = smart(alice, "a cat -rocket", "Cats")
    cat = upload(alice, sample("chelsea.png"))
    wait_for(lambda: cat.pk in inside(by_words), 30, "the cat in its album")
    assert foreign.pk not in inside(by_words)
    tags.set_tags(cat, ["cat"])
    SavedSearch.objects.update(filled_at=timezone.now() - timedelta(hours=2))
    ring_for_all()
    wait_for(lambda: inside(saved) == [cat.pk], 30, "the tagged cat")
    assert rocket.pk not in inside(saved)
