"""Exact and approximate search by the size of the viewer's scope: finds the crossover.

Fills an empty database (`make bench` starts one) with clustered random vectors, and prints the
time of both plans for each scope, and the recall of the index compared with brute force.
"""

from __future__ import annotations

import argparse
import os
import time
import uuid
from typing import TYPE_CHECKING, Any

import django
import numpy as np

from benchmarks.analysed import all_done

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from gallery.models import EmbeddingSpace, Image

DIMENSIONS = 512
CLUSTERS = 500
WINDOW = 20
K = 10


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="planner", description=__doc__)
    parser.add_argument("--pictures", type=int, default=40_000)
    parser.add_argument("--queries", type=int, default=40)
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    django.setup()
    from django.core.management import call_command

    from gallery.models import EmbeddingSpace, Image

    call_command("migrate", verbosity=0)
    if Image.objects.exists():
        raise SystemExit("This database holds pictures: the benchmark wants an empty one.")
    space = EmbeddingSpace.objects.create(
        architecture="synthetic", dimensions=DIMENSIONS, logit_scale=100.0, checksum="synthetic"
    )
    rng = np.random.default_rng(0)
    vectors = clustered(rng, options.pictures)
    ids = fill(space, vectors)
    queries = {
        "image": vectors[rng.integers(0, len(vectors), options.queries)],
        "text": between_clusters(rng, vectors, options.queries),
    }
    for share in (1.0, 0.5, 0.2, 0.1, 0.05, 0.01):
        size = int(options.pictures * share)
        Image.objects.update(visibility="private")
        Image.objects.filter(pk__in=ids[:size]).update(visibility="public")
        vacuum()
        scope = Image.objects.filter(visibility="public", deleted_at=None)
        for kind, asked in queries.items():
            compare(space, scope, kind, asked, vectors[:size], ids[:size])


def clustered(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 512) float32 unit vectors around 500 centres, like real pictures."""
    centres = unit(rng.normal(size=(CLUSTERS, DIMENSIONS)))
    noise = rng.normal(size=(count, DIMENSIONS)) * 0.045
    return unit(centres[rng.integers(0, CLUSTERS, count)] + noise)


def between_clusters(rng: np.random.Generator, vectors: np.ndarray, count: int) -> np.ndarray:
    """(count, 512) float32 unit vectors like those of texts, which lie apart from pictures: with
    a shared offset and more noise."""
    near = vectors[rng.integers(0, len(vectors), count)] * 0.9
    noise = rng.normal(size=(count, DIMENSIONS)) * 0.05
    return unit(near + noise + rng.normal(size=(1, DIMENSIONS)) * 0.02)


def unit(array: np.ndarray) -> np.ndarray:
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)


def fill(space: EmbeddingSpace, vectors: np.ndarray) -> list[uuid.UUID]:
    """Insert rows without files, then build the indexes. Return the ids."""
    from gallery.indexing.encoding import keep_vectors
    from gallery.indexing.vector_indexes import create_index, refresh_lists
    from gallery.models import Image, User

    owner = User.objects.create_user("benchmark")
    images = [
        Image(
            owner=owner,
            file="none",
            sha256=uuid.uuid4().hex,
            byte_size=1,
            content_type="image/jpeg",
            width=1,
            height=1,
        )
        for _ in vectors
    ]
    Image.objects.bulk_create(images, batch_size=2000)
    for start in range(0, len(images), 1000):
        some = images[start : start + 1000]
        keep_vectors(space, [image.pk for image in some], vectors[start : start + 1000])
    all_done()
    start = time.perf_counter()
    create_index(space)
    refresh_lists(space)
    print(f"{len(images)} vectors, indexes built in {time.perf_counter() - start:.0f} s")
    return [image.pk for image in images]


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE gallery_image, gallery_embedding, gallery_analysis")


def compare(
    space: EmbeddingSpace,
    scope: QuerySet[Image],
    kind: Any,
    queries: np.ndarray,
    vectors: np.ndarray,
    ids: list[uuid.UUID],
) -> None:
    from gallery.search.nearest import scans, scope_size

    asked = scans.Scope.from_images(scope)

    def by_index(query: np.ndarray) -> list[uuid.UUID]:
        probes = scope_size.measured(space, asked).probes(WINDOW, kind)
        return [pk for pk, _ in scans.in_lists(space, query, asked, WINDOW, probes)]

    best = np.argsort(-(queries @ vectors.T), axis=1)[:, :K]
    truth = [{ids[i] for i in row} for row in best]
    figures = {}
    for name, plan in (
        ("exact", lambda q: [pk for pk, _ in scans.one_by_one(space, q, asked, WINDOW)]),
        ("index", by_index),
    ):
        plan(queries[0])
        start = time.perf_counter()
        found = [plan(query) for query in queries]
        took = (time.perf_counter() - start) / len(queries) * 1000
        hits = [len(t & set(f[:K])) / K for t, f in zip(truth, found, strict=True)]
        figures[name] = (took, float(np.mean(hits)), min(hits))
    exact, index = figures["exact"], figures["index"]
    print(
        f"{len(ids):>7} in scope, {kind:<5}: exact {exact[0]:6.1f} ms, index {index[0]:6.1f} ms "
        f"(recall@{K} {index[1]:.3f}, worst query {index[2]:.1f}), "
        f"exact/index {exact[0] / index[0]:.2f}"
    )
