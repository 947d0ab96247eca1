"""How the planner reads a scope. Both ways return all results."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import sweep, task_names, tasks
from gallery.checks import index_lists
from gallery.indexing import encoding, spaces, vector_indexes
from gallery.models import EmbeddingSpace, Image, User
from gallery.search.nearest import planner, sample, scans, scope_size
from gallery.search.nearest.scans import Scope
from gallery.search.nearest.scope_size import Size
from tests.factories import make_space

COUNT, DIMENSIONS = 1500, 16


@pytest.fixture
def library(transactional_db: None) -> tuple[EmbeddingSpace, np.ndarray, list[Image]]:
    """1,500 vectors under a real HNSW index. The pictures of the first 100 are far from the
    others."""
    sample.forget()
    space = make_space(dimensions=DIMENSIONS)
    owner = User.objects.create_user("owner")
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(COUNT, DIMENSIONS))
    vectors[:100, 0] -= 12
    vectors[100:, 0] += 3
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    images = Image.objects.bulk_create(
        Image(
            owner=owner,
            visibility="public",
            file="none",
            sha256=uuid.uuid4().hex,
            byte_size=1,
            content_type="image/jpeg",
            camera="Apart" if place < 100 else "Near",
            width=1,
            height=1,
        )
        for place in range(COUNT)
    )
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    vector_indexes.create_index(space)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_image, gallery_embedding")
    return space, vectors, images


@pytest.fixture
def listed(library: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same library with lists, as if 1,500 pictures were many."""
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", COUNT)
    vector_indexes.refresh_lists(library[0])
    return library


def test_one_by_one_is_exact_however_many_there_are_said_to_be(library: Any) -> None:
    space, vectors, images = library
    apart = Scope.from_images(Image.objects.filter(camera="Apart"))
    best = [images[place].pk for place in np.argsort(-(vectors[:100] @ vectors[7]))[:10]]
    for few in (True, False):
        rows = scans.one_by_one(space, vectors[7], apart, 10, few=few)
        assert [pk for pk, _ in rows] == best


def test_small_scopes_are_exact_and_large_ones_read_the_index(listed: Any, settings: Any) -> None:
    space, vectors, images = listed
    for limit, exact in ((COUNT, True), (COUNT - 1, False)):
        settings.EXACT_SEARCH_LIMIT = limit
        ranking = planner.nearest(space, vectors[200], Image.objects.all(), 20, "image")
        assert ranking.exact is exact
        assert ranking.complete is False
        assert ranking.ids[0] == images[200].pk
        assert len(ranking.ids) == 20


def test_a_library_without_lists_is_compared_one_by_one(library: Any, settings: Any) -> None:
    space, vectors, images = library
    settings.EXACT_SEARCH_LIMIT = 50
    for kind in ("text", "image"):
        ranking = planner.nearest(space, vectors[700], Image.objects.all(), 30, kind)
        best = np.argsort(-(vectors @ vectors[700]))[:30]
        assert set(ranking.ids) == {images[place].pk for place in best}
        assert ranking.exact
        assert not ranking.complete


def test_windows_beyond_the_index_and_the_end_of_a_scope(listed: Any, settings: Any) -> None:
    space, vectors, images = listed
    settings.EXACT_SEARCH_LIMIT = 50
    ranking = planner.nearest(space, vectors[0], Image.objects.all(), 1100, "text")
    assert ranking.exact
    assert not ranking.complete
    everything = planner.nearest(space, vectors[0], Image.objects.all(), COUNT, "text")
    assert everything.complete
    assert set(everything.ids) == {image.pk for image in images}
    assert everything.ids[:1100] == ranking.ids
    nothing = planner.nearest(space, vectors[0], Image.objects.none(), 10, "text")
    assert (nothing.ids, nothing.exact, nothing.complete) == ([], True, True)


def test_the_size_of_a_scope_is_kept_for_a_while(listed: Any, settings: Any) -> None:
    space, vectors, _images = listed
    settings.EXACT_SEARCH_LIMIT = 50
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            planner.nearest(space, vectors[0], Image.objects.all(), 10, "image")
        asked.append(len(queries))
    assert asked[1] == 2 < asked[0], "settings and search, sent together"


def test_settings_of_a_search_end_with_it(listed: Any) -> None:
    space, vectors, _images = listed

    def current() -> list[str]:
        names = ("ivfflat.iterative_scan", "ivfflat.probes", "enable_sort")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(f'current_setting({n!r})' for n in names)}")
            return list(cursor.fetchone())

    everything = Scope.from_images(Image.objects.all())
    scans.in_lists(space, vectors[0], everything, 10, 7)
    assert current() == ["off", "1", "on"]


def test_the_lists_of_a_large_library_are_read_for_texts_and_for_pictures(
    listed: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, vectors, images = listed
    settings.EXACT_SEARCH_LIMIT = 50
    monkeypatch.setattr(scope_size, "LISTED", {"image": 400, "text": 400})
    plan = scans.in_lists(
        space, vectors[0], Scope.from_images(Image.objects.all()), 9, 3, explain=True
    )
    assert vector_indexes.lists_name(space) in str(plan)
    rng = np.random.default_rng(5)
    for kind in ("text", "image"):
        found = []
        for n in rng.integers(100, COUNT, 40):
            ranking = planner.nearest(space, vectors[n], Image.objects.all(), 20, kind)
            best = [images[place].pk for place in np.argsort(-(vectors @ vectors[n]))[:10]]
            assert not ranking.exact
            assert ranking.ids[0] == images[n].pk
            assert ranking.scores == sorted(ranking.scores, reverse=True)
            assert len(ranking.ids) == 20
            found.append(len({*ranking.ids} & {*best}) / 10)
        assert np.mean(found) >= 0.9, "400 of 1,500 without any clusters"


def test_a_scope_that_lies_in_other_lists_is_read_exactly(
    listed: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, vectors, images = listed
    monkeypatch.setattr(scope_size, "LISTED", {"image": 60, "text": 60})
    apart = Image.objects.filter(camera="Apart")
    best = np.argsort(-(vectors[:100] @ vectors[700]))[:30]
    for limit in (50, 10):  # of known size, and of unknown
        settings.EXACT_SEARCH_LIMIT = limit
        ranking = planner.nearest(space, vectors[700], apart, 30, "text")
        assert {*ranking.ids} == {images[place].pk for place in best}
        assert ranking.exact


def test_a_thin_scope_that_lies_all_over_the_library_is_read_in_lists(
    listed: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, vectors, images = listed
    settings.EXACT_SEARCH_LIMIT = 100
    monkeypatch.setattr(scope_size, "LISTED", {"image": 500, "text": 500})
    thin = Image.objects.filter(pk__in=[image.pk for image in images[::5]])
    size = scope_size.measured(space, Scope.from_images(thin))
    assert (size.counted, size.is_known, size.is_scattered) == (300, True, True)
    found = []
    for n in range(100, 160):
        ranking = planner.nearest(space, vectors[n], thin, 10, "text")
        assert not ranking.exact
        best = np.argsort(-(vectors[::5] @ vectors[n]))[:10]
        found.append(len({*ranking.ids} & {images[5 * place].pk for place in best}) / 10)
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("share", [0.02, 0.05, 0.5])
def test_scopes_that_gather_are_told_from_those_that_are_scattered(share: float) -> None:
    rng = np.random.default_rng(7)
    subject = rng.integers(0, 100, 2000)
    vectors = rng.normal(size=(100, 32))[subject] + 0.5 * rng.normal(size=(2000, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    of_few_subjects = subject < 100 * share
    drawn_from_all = rng.random(2000) < share
    of_few_and_thinned = of_few_subjects & (rng.random(2000) < 0.5)
    assert scope_size._is_scattered(vectors, drawn_from_all)
    assert not scope_size._is_scattered(vectors, of_few_subjects)
    assert not scope_size._is_scattered(vectors, of_few_and_thinned)
    assert scope_size._is_scattered(vectors, np.full(2000, True))
    assert not scope_size._is_scattered(vectors, np.arange(2000) < 3), "too few to tell"


def test_lists_grow_with_the_library_and_the_memory(
    library: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = library[0]

    def lists() -> int:
        vector_indexes.refresh_lists(space)
        return vector_indexes.indexed(space).lists

    assert lists() == 0, "a small library has none"
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", COUNT)
    settings.INDEX_BUILD_MEMORY = "4MB"
    monkeypatch.setattr(vector_indexes, "_MEMORY_SHARE", 0.4)
    few = lists()
    assert 0 < few < 155
    assert lists() == few, "more memory would be needed"
    settings.INDEX_BUILD_MEMORY = "64MB"
    monkeypatch.setattr(vector_indexes, "LISTS_PER_ROOT", 8)
    assert lists() == round(8 * COUNT**0.5)
    assert lists() == round(8 * COUNT**0.5)
    with connection.cursor() as cursor:
        name = vector_indexes.lists_name(space)
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE %s", [f"{name}%"])
        assert cursor.fetchall() == [(name,)], "nothing is left of what served before"
    vector_indexes.drop_indexes(space)
    assert vector_indexes.indexed(space) == vector_indexes.Indexed(0, 0)


def test_the_last_memory_that_pgvector_needs_is_not_asked_for(
    library: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest affordable number of lists is built without an error."""
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", COUNT)
    monkeypatch.setattr(vector_indexes, "LISTS_PER_ROOT", 1000)
    settings.INDEX_BUILD_MEMORY = "2MB"
    vector_indexes.refresh_lists(library[0])
    assert vector_indexes.indexed(library[0]).lists > 50


@pytest.mark.parametrize("kind", ["text", "image"])
def test_more_lists_are_read_in_larger_libraries_and_for_thinner_scopes(kind: scans.Kind) -> None:
    usual = Size(10**5, 2_000, 10**5, 2_530, is_scattered=True)
    fewer = replace(usual, lists=1_265)
    large = Size(10**6, 5_000, 10**6, 8_000, is_scattered=True)
    thin = replace(usual, counted=8_000, pictures=9_000)
    assert usual.probes(20, kind) / usual.lists == pytest.approx(
        scope_size.LISTED[kind] / 10**5, abs=1e-3
    )
    assert fewer.probes(20, kind) == usual.probes(20, kind), "of longer lists as many"
    assert usual.probes(20, kind) / usual.lists > large.probes(20, kind) / large.lists
    assert thin.probes(20, kind) / usual.probes(20, kind) == pytest.approx(0.09**-0.3, rel=0.1)
    assert thin.probes(900, kind) > thin.probes(20, kind)
    gathered = replace(thin, is_scattered=False)
    assert gathered.probes(20, kind) / gathered.lists == pytest.approx(0.06 * 0.09**-0.3, rel=0.1)
    assert Size(1_000, 500, 1_500, 9).probes(1_000, kind) == 9
    assert not thin.is_cheaper_than(2_530), "how many it has is not known"
    known = replace(thin, counted=3_000, pictures=3_000)
    assert known.is_cheaper_than(700)
    assert not known.is_cheaper_than(500)
    assert Size(8_000, 2_000, 0, 9).probes(20, kind) == 9, "not counted by PostgreSQL yet"


def test_lists_that_cannot_be_made_stop_nothing(
    library: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL refuses an index that needs more memory than allowed."""
    space, vectors, images = library
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", COUNT)
    monkeypatch.setattr(vector_indexes, "LISTS_PER_ROOT", 30)
    monkeypatch.setattr(vector_indexes, "_MEMORY_SHARE", 50)
    settings.INDEX_BUILD_MEMORY = "1MB"
    assert vector_indexes.lists_are_due(space)
    spaces.refresh_lists()
    assert "Could not make the lists" in caplog.text
    assert vector_indexes.indexed(space).lists == 0
    assert not spaces.lists_are_due(), "it is not tried again at once"
    (warning,) = index_lists(databases=["default"])
    assert warning.id == "gallery.W003"
    assert "memory required" in str(warning)
    settings.EXACT_SEARCH_LIMIT = 50
    ranking = planner.nearest(space, vectors[200], Image.objects.all(), 20, "text")
    assert ranking.ids[0] == images[200].pk
    # The refused build leaves nothing that hinders the next one.
    settings.INDEX_BUILD_MEMORY = "64MB"
    cache.delete(vector_indexes._failure_key(space))
    assert spaces.lists_are_due()
    spaces.refresh_lists()
    assert vector_indexes.indexed(space).lists > 0
    assert not spaces.lists_are_due()
    assert index_lists(databases=["default"]) == []


def test_lists_are_made_by_the_worker_that_encodes_nothing(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatched: list[str] = []
    monkeypatch.setattr(tasks, "on_commit", lambda name, *args: dispatched.append(name))
    tasks.index_pending()
    assert task_names.REFRESH_LISTS not in dispatched
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", COUNT)
    tasks.index_pending()
    assert task_names.REFRESH_LISTS in dispatched
    assert task_names.REFRESH_LISTS in sweep.waiting({"chores"})
    assert vector_indexes.indexed(library[0]).lists == 0
    tasks.refresh_lists()
    assert vector_indexes.indexed(library[0]).lists > 0
