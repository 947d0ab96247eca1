"""The recall meter. It measures what the live search finds, for administrators alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gallery import task_names
from gallery.checks import index_recall
from gallery.encoders import client as encoder
from gallery.encoders.base import Vectors, l2_normalise
from gallery.errors import Unavailable
from gallery.indexing import encoding, vector_indexes
from gallery.indexing.spaces import active_space
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    EmbeddingSpace,
    Image,
    RecallMeasurement,
    User,
)
from gallery.search.evaluation import recall
from gallery.search.nearest import planner, sample
from gallery.work import leases
from tests.conftest import draw, upload, wait_for
from tests.factories import make_space

DIMENSIONS = 32
State = RecallMeasurement.State
GOOD = {
    "kind": "text", "scope": "public", "pictures": 9000, "queries": 100, "recall": 0.991,
    "worst": 0.7, "none": 0.0, "exact": 0.0, "ms": 3.2,
}  # fmt: skip


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def space(db: None) -> EmbeddingSpace:
    return make_space(dimensions=DIMENSIONS, languages={"en": 1.0, "zh": 0.9, "de": 0.1})


@pytest.fixture
def made_up_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(space: EmbeddingSpace, texts: list[str]) -> Vectors:
        return directions(np.random.default_rng(len(texts)), len(texts))

    monkeypatch.setattr(encoder, "encode_own_texts", encode)


def directions(rng: np.random.Generator, count: int) -> Vectors:
    return l2_normalise(rng.normal(size=(count, DIMENSIONS)))


def fill(owner: User, space: EmbeddingSpace, vectors: Vectors, **fields: Any) -> list[Image]:
    images = [
        Image(owner=owner, file="none", sha256=f"{owner.pk}-{fields}-{n}"[:64], byte_size=1,
              content_type="image/jpeg", width=1, height=1, **fields)
        for n in range(len(vectors))
    ]  # fmt: skip
    Image.objects.bulk_create(images)
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    return images


def done(space: EmbeddingSpace, **changed: Any) -> RecallMeasurement:
    return RecallMeasurement.objects.create(
        space=space, state=State.DONE, figures=[{**GOOD, **changed}], finished_at=timezone.now()
    )


# --- What is measured ---------------------------------------------------------------


def test_the_truth_is_that_of_brute_force(
    alice: User, bob: User, space: EmbeddingSpace, rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(recall, "_AT_ONCE", 64)
    vectors = directions(rng, 300)
    images = fill(alice, space, vectors)
    fill(bob, space, directions(rng, 40))
    queries = directions(rng, 20)
    truth = recall.best(space, queries, Image.objects.visible_to(alice))
    order = np.argsort(-(queries @ vectors.T), axis=1)[:, : recall.K]
    assert truth.ids == [{images[place].pk for place in row} for row in order]
    assert truth.pictures == 300
    assert recall.best(space, queries, Image.objects.visible_to(AnonymousUser())).pictures == 0


@pytest.mark.django_db(transaction=True)
def test_measures_the_index_by_kind_and_by_who_searches(
    alice: User, bob: User, space: EmbeddingSpace, rng: np.random.Generator,
    made_up_texts: None, settings: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(recall, "QUERIES", 40)
    settings.EXACT_SEARCH_LIMIT = 100
    images = fill(alice, space, directions(rng, 240))
    fill(alice, space, directions(rng, 120), visibility="public")
    fill(bob, space, directions(rng, 20))
    album = Album.objects.create(owner=alice, title="Shared")
    AlbumItem.objects.bulk_create(
        AlbumItem(album=album, image=image, position=n) for n, image in enumerate(images[:30])
    )
    AlbumShare.objects.create(album=album, user=bob)
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", 100)
    vector_indexes.create_index(space)
    vector_indexes.refresh_lists(space)
    assert vector_indexes.indexed(space).lists > 0
    figures = {(figure.scope, figure.kind): figure for figure in recall.figures(space)}
    assert {scope: figures[scope, "text"].pictures for scope, _kind in figures} == {
        "public": 120, "owner": 360, "member": 170, "narrow": 18,
    }  # fmt: skip
    for (scope, _kind), figure in figures.items():
        assert figure.queries == 40
        assert figure.recall >= 0.97
        assert figure.none == 0
        assert figure.exact == (1 if scope == "narrow" else 0)
        assert figure.ms > 0


def test_a_search_that_misses_is_seen(
    alice: User, space: EmbeddingSpace, rng: np.random.Generator, made_up_texts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two of the true ten are lost, and for half of the texts all of them."""
    fill(alice, space, directions(rng, 200), visibility="public")
    real, asked = planner.nearest, iter(range(10_000))

    def lossy(*args: Any) -> planner.Ranking:
        found = real(*args)
        lost = 10 if args[-1] == "text" and next(asked) % 2 else 2
        return planner.Ranking(found.ids[lost:], found.scores[lost:], False, False)

    monkeypatch.setattr(planner, "nearest", lossy)
    figures = {(figure.scope, figure.kind): figure for figure in recall.figures(space)}
    pictures, texts = figures["public", "image"], figures["public", "text"]
    assert (pictures.recall, pictures.worst, pictures.none) == (0.8, 0.8, 0.0)
    assert (texts.recall, texts.worst, texts.none) == (0.4, 0.0, 0.5)
    assert pictures.exact == 0


def test_what_is_just_as_near_counts_as_found(
    alice: User, space: EmbeddingSpace, made_up_texts: None
) -> None:
    """Copies of a picture have equal distances. Their ids decide which of them are among the
    ten."""
    same = np.tile(np.eye(DIMENSIONS, dtype=np.float32)[0], (40, 1))
    fill(alice, space, same, visibility="public")
    assert {figure.recall for figure in recall.figures(space)} == {1.0}


def test_fewer_than_ten_pictures_and_none(
    alice: User, space: EmbeddingSpace, rng: np.random.Generator, made_up_texts: None
) -> None:
    assert list(recall.figures(space)) == []
    fill(alice, space, directions(rng, 4), visibility="public")
    assert {(figure.recall, figure.pictures) for figure in recall.figures(space)} == {(1.0, 4)}


def test_the_texts_are_in_known_languages_and_the_same_each_time() -> None:
    texts = recall.query_texts(["en", "zh"])
    assert texts == recall.query_texts(["en", "zh"])
    assert len(texts) == len(set(texts)) == recall.QUERIES
    assert any(not text.isascii() for text in texts)
    assert all(text.isascii() for text in recall.query_texts(["en"]))


# --- One measurement ----------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = recall.Figure(**GOOD)  # type: ignore[arg-type]
    monkeypatch.setattr(recall, "figures", lambda space: iter([figure, figure]))


def test_is_asked_for_once_at_a_time(
    alice: User, space: EmbeddingSpace, dispatched: list[Any], quick: None
) -> None:
    first = recall.request(alice)
    assert first is not None
    assert (first.state, first.requested_by, first.space) == ("waiting", alice, space)
    assert recall.request() == first
    assert dispatched == [(task_names.MEASURE_RECALL,)] * 2
    recall.run()
    first.refresh_from_db()
    assert first.state == "done"
    assert first.figures == [GOOD, GOOD]
    assert first.finished_at is not None
    assert recall.request() != first


def test_nothing_is_asked_for_without_an_active_space(db: None, dispatched: list[Any]) -> None:
    assert recall.request() is None
    assert dispatched == []


def test_a_measurement_whose_worker_died_is_done_by_another(
    space: EmbeddingSpace, quick: None
) -> None:
    left = RecallMeasurement.objects.create(space=space, state=State.RUNNING, figures=[GOOD])
    assert recall.is_waiting()
    recall.run()
    left.refresh_from_db()
    assert (left.state, len(left.figures)) == ("done", 2), "not three: it began anew"
    assert not recall.is_waiting()


def test_one_that_kills_its_workers_is_given_up(space: EmbeddingSpace, quick: None) -> None:
    left = RecallMeasurement.objects.create(space=space, state=State.RUNNING)
    long_ago = timezone.now() - timedelta(hours=3)
    RecallMeasurement.objects.filter(pk=left.pk).update(created_at=long_ago)
    recall.run()
    left.refresh_from_db()
    assert (left.state, left.error) == ("failed", recall.GIVEN_UP)


def test_a_second_worker_leaves_it_to_the_first(space: EmbeddingSpace, quick: None) -> None:
    waiting = RecallMeasurement.objects.create(space=space)
    assert leases.take(RecallMeasurement.objects.all(), recall.LEASE)
    assert not recall.is_waiting()
    recall.run()
    waiting.refresh_from_db()
    assert waiting.state == "waiting"
    # The measurement was killed.
    RecallMeasurement.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert recall.is_waiting()
    recall.run()
    waiting.refresh_from_db()
    assert waiting.state == "done"


def test_a_worker_that_lost_its_measurement_writes_nothing_more(
    space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(space: EmbeddingSpace) -> Iterator[recall.Figure]:
        RecallMeasurement.objects.update(claim=uuid.uuid4())
        yield recall.Figure("text", "public", 1, 1, 1, 1, 0, 1, 1)

    monkeypatch.setattr(recall, "figures", lose)
    waiting = RecallMeasurement.objects.create(space=space)
    recall.run()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.figures) == ("running", [])


def test_an_encoder_that_is_down_is_told(
    space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any) -> None:
        raise Unavailable("encoder_down", "The encoder is not running.")

    monkeypatch.setattr(encoder, "encode_own_texts", down)
    waiting = RecallMeasurement.objects.create(space=space)
    recall.run()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("failed", "The encoder is not running.")


def test_an_error_is_told_and_not_swallowed(
    space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(space: EmbeddingSpace) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(recall, "figures", broken)
    waiting = RecallMeasurement.objects.create(space=space)
    with pytest.raises(ZeroDivisionError):
        recall.run()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("failed", recall.FAILED)


def test_only_the_last_measurements_are_kept(
    space: EmbeddingSpace, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "_KEPT", 3)
    old = [done(space) for _ in range(4)]
    recall.request()
    recall.run()
    assert set(RecallMeasurement.objects.values_list("pk", flat=True)).isdisjoint(
        {old[0].pk, old[1].pk}
    )
    assert RecallMeasurement.objects.count() == 3


@pytest.mark.worker
def test_workers_measure_a_real_library(
    encoder_worker: object, media_worker: object, alice: User
) -> None:
    for colour in ("red", "green", "blue"):
        upload(alice, draw(colour=colour), visibility="public")
    space = active_space()
    assert space is not None
    wait_for(lambda: space.embeddings.count() == 3)
    waiting = recall.request(alice)
    assert waiting is not None
    wait_for(lambda: RecallMeasurement.objects.get(pk=waiting.pk).state == "done", 60)
    waiting.refresh_from_db()
    assert {(figure["scope"], figure["kind"]) for figure in waiting.figures} == {
        (scope, kind) for scope in ("public", "owner") for kind in ("text", "image")
    }
    assert all(figure["recall"] == figure["exact"] == 1 for figure in waiting.figures)


# --- The system check -----------------------------------------------------------------


def check() -> list[str]:
    return [message.id or "" for message in index_recall(databases=["default"])]


def test_the_check_warns_of_the_latest_figures_of_the_active_space(space: EmbeddingSpace) -> None:
    assert check() == []
    done(space, recall=0.9)
    assert check() == ["gallery.W002"]
    assert "0.900 for text queries" in str(index_recall(databases=["default"])[0])
    done(make_space("retired", architecture="old"), recall=0.2)
    done(space, recall=0.97)
    assert check() == []
    RecallMeasurement.objects.create(space=space, state=State.FAILED)
    assert check() == []


def test_the_check_is_silent_without_a_database(space: EmbeddingSpace) -> None:
    done(space, recall=0.5)
    assert index_recall(databases=None) == []


def test_the_check_is_one_of_the_project(space: EmbeddingSpace) -> None:
    done(space, recall=0.5)
    found = run_checks(tags=["database"], databases=["default"])
    assert "gallery.W002" in [message.id for message in found]


# --- The page of the administrators -----------------------------------------------------


PAGE = "admin:gallery_recallmeasurement_changelist"
MEASURE = "admin:gallery_recall_measure"
OVERVIEW = "admin:gallery_recall_overview"


@pytest.fixture
def admin(db: None) -> Client:
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    client = Client()
    client.force_login(boss)
    return client


def page(client: Client, name: str = PAGE) -> str:
    response = client.get(reverse(name))
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_of_a_new_installation_offers_to_measure(admin: Client) -> None:
    text = page(admin)
    assert "Nothing was measured yet" in text
    assert "Measure now" in text
    assert "<svg viewBox" not in text
    after = admin.post(reverse(MEASURE), follow=True).content.decode()
    assert "No model is active yet" in after


def test_the_button_asks_and_the_page_follows(
    admin: Client, space: EmbeddingSpace, dispatched: list[Any], quick: None
) -> None:
    waiting = admin.post(reverse(MEASURE), follow=True).content.decode()
    assert dispatched == [(task_names.MEASURE_RECALL,)]
    assert "waits for a worker" in waiting
    assert reverse(OVERVIEW) in waiting, "asked for again"
    assert "Measure now" not in waiting
    RecallMeasurement.objects.update(state=State.RUNNING, figures=[GOOD])
    assert "1 figure so far" in page(admin, OVERVIEW)
    recall.run()
    response = admin.get(reverse(OVERVIEW))
    assert response["HX-Refresh"] == "true"
    assert reverse(OVERVIEW) not in page(admin)


def test_figures_and_history_are_shown(admin: Client, space: EmbeddingSpace) -> None:
    done(space, recall=0.99)
    done(space, recall=0.93)
    text = page(admin)
    assert text.count("<circle") == 2
    assert "99.0 %" in text
    assert "93.0 %" in text
    assert "too low" in text
    assert "Every search was exact" not in text
    latest = recall.latest(space)
    assert latest is not None
    detail = admin.get(reverse("admin:gallery_recallmeasurement_change", args=[latest.pk]))
    assert "93.0 %" in detail.content.decode()


def test_small_libraries_are_said_to_be_exact(admin: Client, space: EmbeddingSpace) -> None:
    done(space, recall=1.0, exact=1.0)
    assert "Every search was exact" in page(admin)


def test_a_failure_says_why(admin: Client, space: EmbeddingSpace) -> None:
    RecallMeasurement.objects.create(space=space, state=State.FAILED, error=recall.FAILED)
    assert recall.FAILED in page(admin)


def test_others_neither_see_nor_measure(alice: User, bob: User, space: EmbeddingSpace) -> None:
    """Both a plain account and a staff account without the right are refused."""
    bob.is_staff = True
    bob.save()
    for user in (alice, bob):
        client = Client()
        client.force_login(user)
        for name in (PAGE, OVERVIEW):
            assert client.get(reverse(name)).status_code in {302, 403}
        assert client.post(reverse(MEASURE)).status_code in {302, 403}
    bob.user_permissions.add(Permission.objects.get(codename="view_recallmeasurement"))
    client = Client()
    client.force_login(User.objects.get(pk=bob.pk))
    assert "Measure now" not in page(client)
    assert client.post(reverse(MEASURE)).status_code == 403
    assert not RecallMeasurement.objects.exists()


def test_measuring_takes_a_post(admin: Client, space: EmbeddingSpace) -> None:
    assert admin.get(reverse(MEASURE)).status_code == 405
    assert not RecallMeasurement.objects.exists()


@pytest.mark.parametrize("shares", [{}, {"en": 0.94, "zh": 0.97, "de": 0.19}])
def test_the_page_of_a_space_shows_its_languages(
    admin: Client, space: EmbeddingSpace, shares: dict[str, float]
) -> None:
    EmbeddingSpace.objects.filter(pk=space.pk).update(languages=shares)
    url = reverse("admin:gallery_embeddingspace_change", args=[space.pk])
    text = admin.get(url).content.decode()
    assert ("German" in text) == ("19 %" in text) == bool(shares)
    assert ("Not measured yet" in text) == (not shares)


def test_a_sample_for_queries_needs_no_minimum(
    alice: User, space: EmbeddingSpace, rng: np.random.Generator
) -> None:
    fill(alice, space, directions(rng, 3))
    drawn = sample.draw(space)
    assert (len(drawn.ids), len(drawn.vectors), drawn.pictures) == (3, 3, 3)
    assert sample.draw(make_space("retired", architecture="empty")).pictures == 0
