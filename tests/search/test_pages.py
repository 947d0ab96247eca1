"""The pages of a search: windows in chunks, widening, folding, and pictures that are gone."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from gallery.api.serializers.search import HitSerializer
from gallery.errors import Expired
from gallery.indexing import encoding, selectors
from gallery.models import EmbeddingSpace, Favourite, Image, Tag, User
from gallery.search import folding, pages, window
from gallery.search.filters.narrowed import Narrowed
from gallery.search.nearest import scans
from gallery.search.plan import Plan
from gallery.search.results import Clock, Hit, Results
from gallery.search.shown_hits import shown_hits
from gallery.search.window import CHUNK, Window
from gallery.web.pictures.tiles import tile_of_hit
from tests.factories import make_space, set_state, set_vector

pytestmark = pytest.mark.django_db

QUERY = np.array([1.0, 0.0, 0.0], dtype=np.float32)


@pytest.fixture
def space() -> EmbeddingSpace:
    return make_space()


def fan(owner: User, space: EmbeddingSpace, count: int) -> list[Image]:
    """Create pictures at growing angles from QUERY. Their order is known."""
    images = Image.objects.bulk_create(
        Image(
            owner=owner,
            file="none",
            sha256=uuid.uuid4().hex,
            byte_size=1,
            content_type="image/jpeg",
            width=1,
            height=1,
        )
        for _ in range(count)
    )
    for step, image in enumerate(images):
        angle = 0.02 * (step + 1)
        set_vector(image, space, (np.cos(angle), np.sin(angle), 0.0))
    return images


def plan_of(viewer: User, space: EmbeddingSpace, **fields: Any) -> Plan:
    return Plan(Narrowed(viewer), space, vector=QUERY, kind="image", **fields)


def all_pages(plan: Plan, viewer: User, limit: int) -> list[list[Hit]]:
    page = pages.first(plan, limit, Clock())
    read = [page.hits]
    while page.next:
        page = pages.continued(page.next, viewer, limit)
        read.append(page.hits)
    return read


# --- Windows ----------------------------------------------------------------------


def test_a_window_is_kept_in_chunks_of_which_a_page_reads_one(
    alice: User, space: EmbeddingSpace
) -> None:
    ids = [uuid.uuid4() for _ in range(3 * CHUNK + 7)]
    scores = [1 - place / len(ids) for place in range(len(ids))]
    found = Window(plan_of(alice, space))
    found.append(ids[:5], scores[:5])
    found.append(ids[5:], scores[5:])
    window.save(found)

    again, offset = window.load(found.cursor(2 * CHUNK + 3), alice)
    assert (offset, again.count) == (2 * CHUNK + 3, len(ids))
    part = again.part(offset, offset + 10)
    assert [pk for pk, _ in part] == ids[offset : offset + 10]
    assert [score for _, score in part] == pytest.approx(scores[offset : offset + 10], abs=1e-6)
    assert list(again._chunks) == [2]
    across = again.part(CHUNK - 2, 2 * CHUNK + 1)
    assert [pk for pk, _ in across] == ids[CHUNK - 2 : 2 * CHUNK + 1]
    assert again.ids == ids


def test_without_a_query_there_are_no_scores(alice: User, space: EmbeddingSpace) -> None:
    found = Window(Plan(Narrowed(alice), space))
    found.append(ids := [uuid.uuid4() for _ in range(3)], [None] * 3)
    window.save(found)
    assert window.load(found.cursor(0), alice)[0].part(0, 9) == [(pk, None) for pk in ids]


def test_a_chunk_that_is_no_longer_kept_is_an_expired_search(
    alice: User, space: EmbeddingSpace
) -> None:
    found = Window(plan_of(alice, space))
    found.append([uuid.uuid4()], [0.5])
    window.save(found)
    cache.delete(f"search-window:{found.token}:0")
    with pytest.raises(Expired):
        window.load(found.cursor(0), alice)[0].part(0, 1)


# --- Pages ------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_pages_widen_and_neither_repeat_nor_skip(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """The pages go beyond the first window and the largest of the index, up to the last picture."""
    monkeypatch.setattr(pages, "FIRST_WINDOW", 3)
    monkeypatch.setattr(scans, "LARGEST_WINDOW", 12)
    monkeypatch.setattr(pages, "EXACT_WINDOW", 20)
    monkeypatch.setattr(window, "CHUNK", 5)
    images = fan(alice, space, 31)
    read = all_pages(plan_of(alice, space), alice, limit)
    assert [hit.image for hits in read for hit in hits] == images
    # No page but the last is short, and none is empty.
    assert [len(hits) for hits in read[:-1]] == [limit] * (len(read) - 1)
    assert read[-1]


def test_pages_far_down_cost_no_more_than_the_second(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fan(alice, space, 60)
    monkeypatch.setattr(pages, "FIRST_WINDOW", 60)
    first = pages.first(plan_of(alice, space), 5, Clock())
    token = first.start.partition(".")[0]
    counted = []
    for offset in (5, 50):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            pages.continued(f"{token}.{offset}", alice, 5)
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 5


def test_what_has_gone_meanwhile_is_filled_up(space: EmbeddingSpace, alice: User) -> None:
    images = fan(alice, space, 12)
    first = pages.first(plan_of(alice, space), 4, Clock())
    Image.objects.filter(pk__in=[images[5].pk, images[6].pk]).delete()
    assert first.next is not None
    second = pages.continued(first.next, alice, 4)
    assert [hit.image for hit in second.hits] == [images[n] for n in (4, 7, 8, 9)]


def test_found_ids_are_the_best_from_the_start(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_WINDOW", 3)
    images = fan(alice, space, 20)
    cursor = pages.first(plan_of(alice, space), 2, Clock()).next
    assert cursor is not None
    Image.objects.filter(pk=images[1].pk).delete()
    ids = [image.pk for image in images if image.pk != images[1].pk]
    assert pages.found_ids(cursor, alice, 7) == ids[:7]
    assert pages.found_ids(cursor, alice, 100) == ids


# --- Folding ----------------------------------------------------------------------


def test_folded_pictures_stand_behind_and_none_is_lost(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A near-duplicate may come in a later part of the window than its leader."""
    monkeypatch.setattr(pages, "FIRST_WINDOW", 8)
    images = fan(alice, space, 30)
    place = {image.pk: number for number, image in enumerate(images)}

    def every_third(ids: Any) -> dict[uuid.UUID, uuid.UUID]:
        """Return the folding of every three pictures behind the first of them."""
        leaders: dict[int, uuid.UUID] = {}
        folded = {}
        for pk in ids:
            leader = leaders.setdefault(place[pk] // 3, pk)
            if leader != pk and place[pk] % 3 < 2:
                folded[pk] = leader
        return folded

    monkeypatch.setattr(folding, "fold", every_third)
    read = all_pages(plan_of(alice, space, fold=True), alice, 3)
    hits = [hit for page in read for hit in page]
    shown = [image for hit in hits for image in (hit.image, *hit.similar)]
    assert Counter(shown) == Counter(images)
    assert [hit.image for hit in hits[:2]] == [images[0], images[2]]
    assert hits[0].similar == [images[1]]
    assert len(hits) < len(images)

    # The next picture behind a deleted leader takes its place.
    first = pages.first(plan_of(alice, space, fold=True), 1, Clock())
    Image.objects.filter(pk=images[0].pk).delete()
    again = pages.continued(first.start, alice, 1)
    assert [hit.image for hit in again.hits] == [images[1]]
    assert again.hits[0].score == pytest.approx(np.cos(0.04), abs=1e-3)


# --- What is shown ----------------------------------------------------------------


def test_hits_are_loaded_with_all_that_lists_show(
    space: EmbeddingSpace, alice: User, bob: User
) -> None:
    """Two ways to load the same; tags of others in neither."""
    mine = fan(alice, space, 3)
    theirs = fan(bob, space, 3)
    Image.objects.filter(pk__in=[image.pk for image in theirs[:2]]).update(visibility="public")
    for owner, image in ((alice, mine[0]), (bob, theirs[0])):
        Tag.objects.create(owner=owner, name=f"tag of {owner}").images.add(image)
    Favourite.objects.create(user=alice, image=theirs[0])
    set_state(mine[1], encoding.name_of(space), "failed", reason="It broke.\nTraceback")
    mine[2].analyses.all().delete()

    def facts(image: Image) -> tuple[Any, ...]:
        return (
            image.index_state,
            image.index_error,
            image.is_favourite,
            image.owner.username,
            image.tag_names,
        )

    visible = Image.objects.visible_to(alice)
    listed = {image.pk: facts(image) for image in selectors.with_display_fields(visible, alice)}
    hits = selectors.visible_by_id([image.pk for image in [*mine, *theirs]], alice)
    with CaptureQueriesContext(connection) as asked:
        assert {pk: facts(image) for pk, image in hits.items()} == listed
    assert len(asked) == 0
    assert theirs[2].pk not in hits
    request = RequestFactory().get("/", headers={"host": "localhost"})
    request.user = alice
    found = [Hit(image, 0.5) for image in hits.values()]
    results = Results(found, exact=True, space=space, next=None, start="", took_ms={})
    with CaptureQueriesContext(connection) as asked:
        for hit in shown_hits(results, alice):
            pk = str(hit.image.pk)
            assert HitSerializer(hit, context={"request": request}).data["image"]["id"] == pk
            tile = tile_of_hit(hit, alice)
            assert pk in render_to_string("parts/tiles.html", {"tiles": [tile]}, request)
    assert len(asked) == 0, "whatever is shown of a hit is loaded with it"
    assert listed[mine[0].pk][0] == "ready"
    assert listed[mine[1].pk][:2] == ("failed", "It broke.")
    assert listed[mine[2].pk][0] == "pending"
    assert listed[theirs[0].pk][2:] == (True, "bob", [])


# --- Several requests at once -------------------------------------------------------


def test_two_who_read_on_at_once_see_one_window(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second request for the next page comes between reading and writing, after a nearer picture
    was added. Both requests, and all later ones, show one order."""
    fan(alice, space, 60)
    first = pages.first(plan_of(alice, space), 20, Clock())
    rank, overtaken = pages.ranking.rank, []

    def rank_and_be_overtaken(*arguments: Any) -> Any:
        ranked = rank(*arguments)
        if not overtaken:
            overtaken.append(None)
            set_vector(fan(alice, space, 1)[0], space, QUERY)
            overtaken.append(pages.continued(str(first.next), alice, 20))
        return ranked

    monkeypatch.setattr(pages.ranking, "rank", rank_and_be_overtaken)
    second = pages.continued(str(first.next), alice, 20)
    other = overtaken[1]
    assert other is not None
    assert ids_of(second.hits) == ids_of(other.hits)
    shown = ids_of([*first.hits, *second.hits])
    at = second.next
    while at:
        page = pages.continued(at, alice, 20)
        shown += ids_of(page.hits)
        at = page.next
    assert len(shown) == len(set(shown)) == 61


def ids_of(hits: list[Hit]) -> list[uuid.UUID]:
    return [hit.image.pk for hit in hits]


def test_the_first_of_two_writers_wins(alice: User, space: EmbeddingSpace) -> None:
    made = Window(plan_of(alice, space))
    made.append(ids := [uuid.uuid4() for _ in range(3)], [0.9, 0.8, 0.7])
    assert window.save(made)
    one, other = (window.load(made.cursor(0), alice)[0] for _ in range(2))
    one.append(new := [uuid.uuid4()], [0.6])
    other.append([uuid.uuid4(), uuid.uuid4()], [0.5, 0.4])
    assert window.save(one)
    assert not window.save(other)
    assert window.load(made.cursor(0), alice)[0].ids == [*ids, *new]


def test_many_who_write_at_once_lose_nothing(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads do not see the uncommitted rows of this test.
    monkeypatch.setattr(window, "_space_of", lambda _pk: space)
    made = Window(plan_of(alice, space))
    made.append([uuid.uuid4()], [0.9])
    window.save(made)
    mine = [uuid.uuid4() for _ in range(24)]

    def add(pk: uuid.UUID) -> None:
        while True:
            found, _offset = window.load(made.cursor(0), alice)
            found.append([pk], [0.1])
            if window.save(found):
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, mine))
    kept, _offset = window.load(made.cursor(0), alice)
    assert kept.count == 25
    assert set(mine) < set(kept.ids)


def test_who_only_reads_writes_nothing(alice: User, space: EmbeddingSpace) -> None:
    made = Window(plan_of(alice, space))
    made.append([uuid.uuid4() for _ in range(2)], [0.9, 0.8])
    window.save(made)
    reader, _offset = window.load(made.cursor(0), alice)
    writer, _offset = window.load(made.cursor(0), alice)
    writer.append([uuid.uuid4()], [0.5])
    window.save(writer)
    key = f"search-window:{made.token}"
    cache.expire(key, 5)  # type: ignore[attr-defined]
    assert window.save(reader)
    assert window.load(made.cursor(0), alice)[0].count == 3
    assert cache.ttl(key) > 60, "and yet it lasts as long as somebody reads"  # type: ignore[attr-defined]
