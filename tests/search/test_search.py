"""Search in SQL: order, scope, windows, planner. Vectors are made up, and SQL is real."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gallery.errors import Expired, Refusal, Unavailable
from gallery.indexing import encoding, vector_indexes
from gallery.library import service as library
from gallery.models import Embedding, EmbeddingSpace, Image, User
from gallery.search import pages, service
from gallery.search.nearest import planner, scans
from gallery.search.results import Results
from tests.conftest import draw, upload
from tests.factories import make_space, set_vector

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> EmbeddingSpace:
    return make_space()


def bare_image(owner: User, visibility: str = "private", sha256: str = "") -> Image:
    """Create a row alone: search reads no files."""
    return Image.objects.create(
        owner=owner,
        visibility=visibility,
        file="none",
        sha256=sha256 or uuid.uuid4().hex,
        byte_size=1,
        content_type="image/jpeg",
        width=1,
        height=1,
    )


def fan(owner: User, space: EmbeddingSpace, count: int, **fields: Any) -> list[Image]:
    """Create pictures at growing angles from the first axis. Their order is known."""
    images = []
    for step in range(count):
        image = bare_image(owner, **fields)
        angle = 0.01 * (step + 1)
        set_vector(image, space, (np.cos(angle), np.sin(angle), 0.0))
        images.append(image)
    return images


def found(results: Results) -> list[Image]:
    return [hit.image for hit in results.hits]


def test_similar_is_ordered_and_leaves_the_query_out(space: EmbeddingSpace, alice: User) -> None:
    images = fan(alice, space, 5)
    results = service.search_similar(images[0], alice)
    assert found(results) == images[1:]
    assert [hit.score for hit in results.hits] == sorted(
        (hit.score for hit in results.hits), reverse=True
    )
    assert results.hits[0].score == pytest.approx(np.cos(0.01), abs=1e-3)
    assert results.exact
    assert results.next is None
    assert results.space == space


def test_exact_copies_are_left_out_and_named(space: EmbeddingSpace, alice: User, bob: User) -> None:
    mine = upload(alice, draw())
    copy = upload(bob, draw(), visibility="public")
    hidden = upload(User.objects.create_user("carol"), draw(), visibility="private")
    other = fan(alice, space, 1)[0]
    for image in (mine, copy, hidden):
        set_vector(image, space, (1, 0, 0))
    results = service.search_similar(mine, alice)
    assert found(results) == [other]
    assert results.exact_copies == [copy]


def test_only_what_the_viewer_may_see(space: EmbeddingSpace, alice: User, bob: User) -> None:
    private = fan(alice, space, 1)[0]
    public = fan(alice, space, 2, visibility="public")[1]
    unlisted = fan(alice, space, 3, visibility="unlisted")[2]
    query = fan(bob, space, 1)[0]
    assert set(found(service.search_similar(query, bob))) & {private, public, unlisted} == set(
        Image.objects.filter(visibility="public")
    ) & {public}
    own = found(service.search_similar(query, alice))
    assert {private, public, unlisted} <= set(own)
    assert all(
        image.visibility == "public"
        for image in found(service.search_similar(query, AnonymousUser()))
    )


def test_pages_go_on_to_the_end_and_never_repeat(
    space: EmbeddingSpace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_WINDOW", 7)
    images = fan(alice, space, 30)
    page = service.search_similar(images[0], alice, limit=4)
    seen = found(page)
    while page.next:
        page = service.continue_search(page.next, alice, limit=4)
        seen += found(page)
    assert seen == images[1:]


def test_a_picture_hidden_while_scrolling_is_gone_and_none_is_skipped(
    space: EmbeddingSpace, alice: User, bob: User
) -> None:
    images = fan(alice, space, 12, visibility="public")
    query = fan(bob, space, 1)[0]
    first = service.search_similar(query, bob, limit=4)
    assert first.next is not None
    Image.objects.filter(pk=images[5].pk).update(visibility="private")
    library.delete_image(images[6])
    second = service.continue_search(first.next, bob, limit=4)
    assert found(second) == [images[4], images[7], images[8], images[9]]


def test_a_cursor_belongs_to_its_viewer(space: EmbeddingSpace, alice: User, bob: User) -> None:
    images = fan(alice, space, 5)
    cursor = service.search_similar(images[0], alice, limit=1).next
    assert cursor is not None
    for stranger in (bob, AnonymousUser()):
        with pytest.raises(Expired):
            service.continue_search(cursor, stranger)


@pytest.mark.parametrize("cursor", ["", ".", "nonsense", "a.b", "é.1", "../x.1", "0" * 5000 + ".1"])
def test_nonsense_cursors_are_expired(cursor: str, alice: User) -> None:
    with pytest.raises(Expired):
        service.continue_search(cursor, alice)


def test_a_picture_without_a_vector_cannot_be_a_query(space: EmbeddingSpace, alice: User) -> None:
    with pytest.raises(Refusal) as refusal:
        service.search_similar(bare_image(alice), alice)
    assert refusal.value.code == "not_encoded_yet"


def test_vectors_of_other_spaces_are_never_mixed_in(space: EmbeddingSpace, alice: User) -> None:
    other = make_space("building", dimensions=4, architecture="other")
    images = fan(alice, space, 2)
    set_vector(bare_image(alice), other, (1, 0, 0, 0))
    assert found(service.search_similar(images[0], alice)) == [images[1]]


def test_without_a_space_search_says_so(alice: User) -> None:
    with pytest.raises(Unavailable) as unavailable:
        service.search_text("a dog", alice)
    assert unavailable.value.code == "no_active_space"


@pytest.mark.parametrize("text", ["", "   ", "\x00\x00", "\u3000", "\ud800"])
def test_an_empty_text_is_refused(text: str, space: EmbeddingSpace, alice: User) -> None:
    with pytest.raises(Refusal) as refusal:
        service.search_text(text, alice)
    assert refusal.value.code == "empty_query"


def test_an_overlong_text_is_refused(space: EmbeddingSpace, alice: User) -> None:
    with pytest.raises(Refusal) as refusal:
        service.search_text("狗" * 5000, alice)
    assert refusal.value.code == "query_too_long"


@pytest.mark.parametrize("limit", [0, -1, 10**9, "abc", "1.5", "９9x"])
def test_limits_outside_the_range_are_refused(limit: Any) -> None:
    with pytest.raises(Refusal):
        service.clean_limit(limit)
    assert service.clean_limit(None) == service.clean_limit("") == service.DEFAULT_LIMIT
    assert service.clean_limit("500") == 500


def test_no_worker_is_an_error_not_an_empty_list(space: EmbeddingSpace, alice: User) -> None:
    from gallery.encoders import reply

    reply.connection().delete(reply.HEARTBEAT_KEY)
    with pytest.raises(Unavailable) as unavailable:
        service.search_text("a dog", alice)
    assert unavailable.value.code == "encoder_down"


def test_no_broker_is_an_error_not_an_empty_list(
    space: EmbeddingSpace, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gallery.encoders import reply

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(reply, "_pool", None)
    with pytest.raises(Unavailable) as unavailable:
        service.search_text("a dog", alice)
    assert unavailable.value.code == "broker_down"


# --- Approximate search -------------------------------------------------------------


@pytest.fixture
def clustered(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[EmbeddingSpace, np.ndarray, list]:
    """2,000 clustered vectors in lists, two owners, half of them public."""
    settings.EXACT_SEARCH_LIMIT = 100
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", 2000)
    space = make_space(dimensions=32)
    owners = [User.objects.create_user(name) for name in ("first", "second")]
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(20, 32))
    vectors = centres[rng.integers(0, 20, 2000)] + rng.normal(size=(2000, 32)) * 0.5
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    images = Image.objects.bulk_create(
        Image(
            owner=owners[i % 10 == 0],
            visibility="public" if i % 2 else "private",
            file="none",
            sha256=uuid.uuid4().hex,
            byte_size=1,
            content_type="image/jpeg",
            width=1,
            height=1,
        )
        for i in range(2000)
    )
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    vector_indexes.create_index(space)
    with connection.cursor() as cursor:
        # Autovacuum does this sooner or later. Without statistics no plan is good.
        cursor.execute("ANALYZE gallery_image, gallery_embedding")
    vector_indexes.refresh_lists(space)
    return space, vectors, images


@pytest.mark.parametrize("kind", ["text", "image"])
def test_recall_of_the_index_per_kind_and_viewer(clustered: Any, kind: scans.Kind) -> None:
    space, vectors, images = clustered
    viewers = [*User.objects.order_by("username"), AnonymousUser()]
    rng = np.random.default_rng(6)
    for viewer in viewers:
        scope = Image.objects.visible_to(viewer)
        allowed = set(scope.values_list("pk", flat=True))
        index = [i for i, image in enumerate(images) if image.pk in allowed]
        for query in vectors[rng.integers(0, 2000, 20)]:
            ranking = planner.nearest(space, query, scope, 50, kind)
            best = [images[index[i]].pk for i in np.argsort(-(vectors[index] @ query))[:10]]
            assert not ranking.exact
            assert len(ranking.ids) == 50
            assert set(ranking.ids) <= allowed
            assert len(set(best) & set(ranking.ids[:12])) >= 9, viewer


def test_the_index_is_really_used(clustered: Any) -> None:
    space, vectors, _ = clustered
    scope = Image.objects.visible_to(AnonymousUser())
    plan = scans.in_lists(space, vectors[0], scans.Scope.from_images(scope), 50, 20, explain=True)
    assert vector_indexes.lists_name(space) in str(plan)


def test_a_sparse_scope_still_gives_full_pages(clustered: Any, settings: Any) -> None:
    """The index returns few pictures of the scope. The exact comparison fills the page."""
    space, vectors, images = clustered
    few = Image.objects.filter(pk__in=[image.pk for image in images[:150]])
    ranking = planner.nearest(space, vectors[0], few, 140, "image")
    assert len(ranking.ids) == 140


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_all_pages_equal_brute_force(data: st.DataObject, alice: User, bob: User) -> None:
    """Owners, visibilities, vectors and limits are random. Exact answers equal those of NumPy."""
    Embedding.objects.all().delete()
    Image.objects.all().delete()
    EmbeddingSpace.objects.all().delete()
    space = make_space()
    rows = data.draw(
        st.lists(
            st.tuples(
                st.booleans(),
                st.sampled_from(["private", "unlisted", "public"]),
                st.tuples(*[st.integers(-3, 3)] * 3).filter(any),
            ),
            min_size=2,
            max_size=20,
        )
    )
    images = []
    for is_alices, visibility, vector in rows:
        image = bare_image(alice if is_alices else bob, visibility)
        set_vector(image, space, vector)
        images.append(image)
    viewer = data.draw(st.sampled_from([alice, bob, AnonymousUser()]))
    limit = data.draw(st.integers(1, 7))

    page = service.search_similar(images[0], viewer, limit=limit)
    hits = list(page.hits)
    while page.next:
        page = service.continue_search(page.next, viewer, limit=limit)
        hits += page.hits

    visible = [
        image for image in images[1:] if image.visibility == "public" or image.owner_id == viewer.pk
    ]
    stored = {
        entry.image_id: np.asarray(entry.vector, dtype=np.float32)
        for entry in Embedding.objects.all()
    }
    query = stored[images[0].pk]
    assert {hit.image.pk for hit in hits} == {image.pk for image in visible}
    assert len(hits) == len(visible)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    for hit in hits:
        cosine = stored[hit.image.pk] @ query / np.linalg.norm(stored[hit.image.pk])
        assert hit.score == pytest.approx(cosine / np.linalg.norm(query), abs=2e-3)
