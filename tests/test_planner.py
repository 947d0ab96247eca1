"""Which way a scope is searched, and that both ways give all that there is."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery.indexing import spaces
from gallery.models import Embedding, EmbeddingSpace, Image, User
from gallery.search import planner
from gallery.search.planner import Scope, Size
from tests.factories import make_space

COUNT, DIMENSIONS = 1500, 16


@pytest.fixture
def library(transactional_db: None) -> tuple[EmbeddingSpace, np.ndarray, list[Image]]:
    """1,500 vectors under a real HNSW index; the pictures of the first 100 lie apart."""
    cache.clear()
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
    Embedding.objects.bulk_create(
        Embedding(image=image, space=space, state="encoded", vector=vector.tolist())
        for image, vector in zip(images, vectors, strict=True)
    )
    spaces.create_index(space)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_image, gallery_embedding")
    return space, vectors, images


def test_small_scopes_are_exact_and_large_ones_read_the_index(library: Any, settings: Any) -> None:
    space, vectors, images = library
    for limit, exact in ((COUNT, True), (COUNT - 1, False)):
        settings.EXACT_SEARCH_LIMIT = limit
        ranking = planner.nearest(space, vectors[200], Image.objects.all(), 20, "image")
        assert ranking.exact is exact
        assert ranking.complete is False
        assert ranking.ids[0] == images[200].pk
        assert len(ranking.ids) == 20


def test_a_scope_that_lies_elsewhere_is_read_exactly(library: Any, settings: Any) -> None:
    """The index would go through nearly all others first: it gives up, nothing is missing."""
    space, vectors, images = library
    settings.EXACT_SEARCH_LIMIT = 50
    apart = Image.objects.filter(camera="Apart")
    ranking = planner.nearest(space, vectors[700], apart, 30, "image")
    best = np.argsort(-(vectors[:100] @ vectors[700]))[:30]
    assert set(ranking.ids) == {images[place].pk for place in best}
    assert ranking.exact


def test_windows_beyond_the_index_and_the_end_of_a_scope(library: Any, settings: Any) -> None:
    space, vectors, images = library
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


def test_the_size_of_a_scope_is_kept_for_a_while(library: Any, settings: Any) -> None:
    space, vectors, _images = library
    settings.EXACT_SEARCH_LIMIT = 50
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            planner.nearest(space, vectors[0], Image.objects.all(), 10, "image")
        asked.append(len(queries))
    assert asked[1] == 1 < asked[0]


def test_a_text_that_the_index_has_led_astray_is_sought_again(
    library: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample knows better pictures than the first reading found."""
    space, vectors, images = library
    settings.EXACT_SEARCH_LIMIT = 50
    real, readings = planner.by_index, []

    def astray(space: EmbeddingSpace, vector: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        readings.append(kwargs)
        rows = real(space, vector, *args, **kwargs)
        return [(images[n].pk, 1.5 + n / 1000) for n in range(20)] if not readings[1:] else rows

    monkeypatch.setattr(planner, "by_index", astray)
    ranking = planner.nearest(space, vectors[700], Image.objects.all(), 20, "text")
    best = np.argsort(-(vectors @ vectors[700]))[:20]
    assert len(readings) == 2
    assert len({images[place].pk for place in best} & set(ranking.ids)) >= 19
    assert ranking.ids[0] == images[700].pk


def test_settings_of_a_search_end_with_it(library: Any) -> None:
    space, vectors, _images = library

    def current() -> list[str]:
        names = ("hnsw.ef_search", "hnsw.iterative_scan", "enable_sort")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(f'current_setting({n!r})' for n in names)}")
            return list(cursor.fetchone())

    planner.by_index(space, vectors[0], Scope.of(Image.objects.all()), 10, 77)
    assert current() == ["40", "off", "on"]


@pytest.mark.parametrize(
    ("size", "ef_search"),
    [
        (Size(counted=90_000, bound=2_000, indexed=100_000), 150),
        # Further than was counted: its share is not known.
        (Size(counted=8_000, bound=2_000, indexed=1_000_000), 150),
        # 5 % of the entries are in it: 600 nearest ones are likely to hold 30 of them.
        (Size(counted=6_000, bound=2_000, indexed=100_000), 750),
        (Size(counted=2_500, bound=2_000, indexed=1_000_000), 1000),
    ],
)
def test_sparse_scopes_are_searched_further(size: Size, ef_search: int) -> None:
    assert size.ef_search(30, "image") == ef_search
