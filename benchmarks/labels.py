"""Labels: how long sorting a library takes, next to NumPy.

Fills an empty database (`make bench` starts one) with made-up vectors of 512 dimensions. Prints

- ad hoc: counting all pictures by 20 categories, with and without “none of these”, in the scope of
  their owner, and the same by NumPy from vectors in memory;
- preview, and apply by a worker in a process of its own, with its memory along the way;
- what pages show of the labels: counts of the filter panel, charts, the colours of the map, why;
- one new picture against 50 applied sets.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import django
import numpy as np

from benchmarks.made_up_vectors import World, unit

if TYPE_CHECKING:
    from gallery.labels.fitting import Weights
    from gallery.models import EmbeddingSpace, LabelJob, LabelSet, User

DIMENSIONS = 512
SCALE = 100.0
SETS = 50
MIB = 2**20


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="labels", description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--categories", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    django.setup()
    from django.core.management import call_command

    from gallery.models import Image

    call_command("migrate", verbosity=0)
    if Image.objects.exists():
        raise SystemExit("This database holds pictures: the benchmark wants an empty one.")
    vectors, space, owner = _library(options.pictures)
    texts = unit(np.random.default_rng(3).normal(size=(SETS * options.categories, DIMENSIONS)))
    _ad_hoc(vectors, space, owner, texts[: options.categories], options.rounds)
    label_set = _applied(space, owner, texts[: options.categories])
    _shown(space, owner, label_set, options.rounds)
    _one_picture(space, owner, texts.reshape(SETS, options.categories, DIMENSIONS))


def _library(pictures: int) -> tuple[np.ndarray, EmbeddingSpace, User]:
    from benchmarks import made_up_library
    from gallery.models import EmbeddingSpace, User

    space = EmbeddingSpace.objects.create(
        architecture="synthetic",
        dimensions=DIMENSIONS,
        logit_scale=SCALE,
        checksum="synthetic",
        state="active",
        generation=1,
    )
    world = World(pictures)
    vectors = world.vectors()
    drawn = made_up_library.draw(space, world.subjects())
    made_up_library.load(drawn, vectors, indexed=False)  # all pictures are read anyway
    return vectors, space, User.objects.get(username="owner")


def _ad_hoc(
    vectors: np.ndarray, space: EmbeddingSpace, owner: User, texts: np.ndarray, rounds: int
) -> None:
    from gallery.indexing.selectors import visible_to

    images = visible_to(owner)
    for mode, background in (("one", 0), ("one", 32), ("any", 0)):
        weights = _weights(mode, texts, background)
        seconds, (total, counts) = _median(rounds, _counted, weights, space, images)
        print(
            f"ad hoc, {mode} of {len(texts)}, {background} background words: {seconds:.3f} s, "
            f"{total} pictures, {sum(counts)} labels"
        )
        seen = vectors[:total]  # as many pictures; which ones makes no difference to NumPy
        product, _result = _median(rounds, np.matmul, seen, weights.vectors.T)
        whole, _result = _median(rounds, _by_numpy, seen, weights)
        print(
            f"  NumPy: product {product:.3f} s (SQL takes {seconds / product:.1f} times as long), "
            f"with softmax {whole:.3f} s ({seconds / whole:.1f} times)"
        )


def _counted(weights: Weights, space: EmbeddingSpace, images: Any) -> tuple[int, list[int]]:
    """As sorting at once does it: with the check of rights."""
    from gallery.labels import scoring

    return scoring.counts(weights, space, scoring.pictures(images))


def _weights(mode: str, texts: np.ndarray, background: int) -> Weights:
    from uuid import uuid4

    from gallery.labels.fitting import Weights

    words = unit(np.random.default_rng(4).normal(size=(background, DIMENSIONS)))
    every = np.concatenate([texts, words]) * SCALE
    return Weights(
        mode=mode,
        categories=[uuid4() for _ in texts],
        vectors=every.astype(np.float32),
        biases=[0.0] * len(every),
        thresholds=[0.5 if mode == "any" else 0.0] * len(texts),
    )


def _by_numpy(vectors: np.ndarray, weights: Weights) -> np.ndarray:
    logits = vectors @ weights.vectors.T
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    best: np.ndarray = shares[:, : len(weights.categories)].argmax(axis=1)
    return best


def _applied(space: EmbeddingSpace, owner: User, texts: np.ndarray) -> LabelSet:
    from gallery.indexing.selectors import visible_to
    from gallery.labels import applying, fitting, previewing

    label_set = _set(space, owner, "Things", texts)
    fit = fitting.require(label_set, space)
    images, weights = visible_to(owner), fitting.weights_of(fit)
    start = time.perf_counter()
    found = previewing.preview(fit, weights, space, images)
    print(f"preview: {time.perf_counter() - start:.2f} s, +{found.added} -{found.removed}")
    job, _change = applying.request(label_set, owner, fit)
    _watch_worker(job)
    start = time.perf_counter()
    found = previewing.preview(fit, weights, space, images)
    print(f"preview of the same: {time.perf_counter() - start:.2f} s, {found.kept} kept")
    return label_set


def _shown(space: EmbeddingSpace, owner: User, label_set: LabelSet, rounds: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from gallery.explore import label_colours
    from gallery.indexing.selectors import visible_to
    from gallery.labels import charts, reading, sets, why
    from gallery.models import Answer, ExploreMap, MapPoint

    images = visible_to(owner)
    own = list(sets.categories_of(label_set))
    seconds, counts = _median(rounds, reading.counted, images, own)
    print(f"counts of the filter panel: {seconds:.3f} s, {sum(counts.values())} labels")
    seconds, _found = _median(rounds, charts.shares, images, own)
    print(f"chart by category: {seconds:.3f} s")
    seconds, _found = _median(rounds, charts.over_time, images, own, "month")
    print(f"chart over time: {seconds:.3f} s")
    drawn = ExploreMap.objects.create(space=space, state="ready", built_at=timezone.now())
    ids = list(images.values_list("pk", flat=True))
    points = (MapPoint(map=drawn, image_id=pk, x=0.5, y=0.5) for pk in ids)
    MapPoint.objects.bulk_create(points, batch_size=10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_mappoint")
    names = [(category.pk, category.name) for category in own]
    seconds, packed = _median(rounds, label_colours.packed, drawn, images, names)
    print(f"colours of the map: {seconds:.3f} s, {len(packed) / 1e6:.1f} MB")
    said = [
        Answer(image_id=pk, category=own[0], verdict=number % 3 > 0, at=timezone.now())
        for number, pk in enumerate(ids[:500])
    ]
    Answer.objects.bulk_create(said)
    image = images.filter(pk=ids[-1]).get()
    seconds, found = _median(rounds, why.of, image, own[0], owner)
    print(f"why, 500 answers: {seconds * 1000:.1f} ms, {len(found.yes)} and {len(found.no)}")
    Answer.objects.all().delete()
    drawn.delete()


# Says when it has begun, so that starting a process is not measured.
_WORKER = """
import django
django.setup()
from gallery.labels import applying
print("begins", flush=True)
applying.run_waiting()
"""


def _watch_worker(job: LabelJob) -> None:
    """Let a process run the job, and print its memory as the job moves on."""
    import psutil

    with subprocess.Popen([sys.executable, "-c", _WORKER], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        process, start = psutil.Process(worker.pid), time.perf_counter()
        seen = [(0.0, process.memory_info().rss)]
        while worker.poll() is None:
            job.refresh_from_db()
            resident = process.memory_info().rss
            if resident:  # none once it has ended
                seen.append((job.done / max(job.total, 1), resident))
            time.sleep(0.2)
        took = time.perf_counter() - start
    job.refresh_from_db()
    along = ", ".join(
        f"{_memory_at(seen, share):.0f} MiB at {share:.0%}" for share in (0, 0.1, 0.5, 0.9)
    )
    most = max(memory for _share, memory in seen) / MIB
    print(
        f"applied: {job.state}, {job.added} labels on {job.done} pictures in {took:.1f} s; "
        f"memory of the worker {along}, at most {most:.0f} MiB"
    )


def _memory_at(seen: list[tuple[float, int]], share: float) -> float:
    """The memory in MiB when the job was nearest to this share of its pictures."""
    return min(seen, key=lambda each: abs(each[0] - share))[1] / MIB


def _set(space: EmbeddingSpace, owner: User, name: str, texts: np.ndarray) -> LabelSet:
    """A set whose categories have these unit vectors."""
    from gallery.labels import fitting, sets
    from gallery.labels.definition import CategoryForm, checked

    forms = [CategoryForm(f"category {number}") for number in range(len(texts))]
    label_set = sets.create(owner, name, checked(categories=forms, none_of_these=False))
    fitting.make(sets.newest(label_set), space, lambda _space, _texts: texts)
    return label_set


def _one_picture(space: EmbeddingSpace, owner: User, texts: np.ndarray) -> None:
    from django.db import transaction

    from gallery.labels import applying, fitting, labelling
    from gallery.models import Embedding, LabelJob

    for number, some in enumerate(texts):
        label_set = _set(space, owner, f"Set {number}", some)
        applying.request(label_set, owner, fitting.require(label_set, space))
    LabelJob.objects.update(state="done")
    rows = Embedding.objects.filter(space=space, image__owner=owner).values_list("image_id")[:20]
    took = []
    for (image,) in rows:
        start = time.perf_counter()
        with transaction.atomic():
            labelling.label(space, [image])
        took.append((time.perf_counter() - start) * 1000)
    print(
        f"one new picture against {len(texts) + 1} sets: median {statistics.median(took):.1f} ms,"
        f" the first one {took[0]:.1f} ms"
    )


def _median(rounds: int, work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    work(*arguments)
    took = []
    result = None
    for _ in range(rounds):
        start = time.perf_counter()
        result = work(*arguments)
        took.append(time.perf_counter() - start)
    return statistics.median(took), result
