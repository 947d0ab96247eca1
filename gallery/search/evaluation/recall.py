"""The recall of the live search, measured in the scopes that people search.

For each kind of query and each scope, the first K pictures of `planner.nearest` are compared with
the first K of an exact scan of the scope. Averages hide queries that find nothing, so the figures
include the worst query and the share of queries without a hit.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from gallery import dispatch, task_names
from gallery.encoders import client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.errors import Unavailable
from gallery.models import AlbumShare, Embedding, EmbeddingSpace, Image, RecallMeasurement, User
from gallery.search import pages
from gallery.search.filters.image_filter import narrow
from gallery.search.nearest import planner, sample
from gallery.search.nearest.scans import Kind
from gallery.search.relevance import languages
from gallery.search.relevance.language_probes import CAPTIONS, ENGLISH, PARTS
from gallery.work import leases
from gallery.work.leases import Lease, Lost

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

logger = logging.getLogger(__name__)

State = RecallMeasurement.State
OPEN = [State.WAITING, State.RUNNING]

K = 10
# A recall below this means that an administrator should check the index.
ENOUGH = 0.97
QUERIES = 100
# The narrow filter keeps one picture of this many.
_NARROWED_TO = 20
# The number of pictures that are compared with all queries at once.
_AT_ONCE = 5000
# Cosines that differ by less are equal: SQL and NumPy sum in different orders.
_SAME = 1e-5
# A measurement older than this is given up. It may have outlived several workers.
_GIVEN_UP_AFTER = timedelta(hours=2)
_KEPT = 200

# The lease is renewed with each figure. In a scope of a million pictures one takes minutes.
LEASE = timedelta(minutes=15)

FAILED = gettext_noop("The measurement broke off. The log of the worker says why.")
GIVEN_UP = gettext_noop("The workers that measured have died, or took more than two hours.")


@dataclass(frozen=True)
class Figure:
    """The recall of one kind of query in one scope of `pictures`: the mean `recall` at K of
    `queries` queries, the recall of the `worst` query, the share of queries that found `none` of
    the true K, the share answered `exact`, without the index, and the median time in `ms`."""

    kind: Kind
    scope: str
    pictures: int
    queries: int
    recall: float
    worst: float
    none: float
    exact: float
    ms: float


# --- Asking for a measurement -----------------------------------------------------


@transaction.atomic
def request(user: User | None = None) -> RecallMeasurement | None:
    """Request a measurement of the active space. Return the open measurement, a new one if none
    waits or runs; None if no space is active."""
    space = EmbeddingSpace.objects.select_for_update(no_key=True).filter(state="active").first()
    if space is None:
        return None
    waiting = RecallMeasurement.objects.filter(space=space, state__in=OPEN).first()
    if waiting is None:
        waiting = RecallMeasurement.objects.create(space=space, requested_by=user)
    dispatch.on_commit(task_names.MEASURE_RECALL)
    return waiting


def is_waiting() -> bool:
    """Whether a measurement waits for a worker or has lost its worker."""
    return _open().exists()


def _open() -> QuerySet[RecallMeasurement]:
    return RecallMeasurement.objects.filter(leases.free(), state__in=OPEN).order_by("id")


def latest(space: EmbeddingSpace) -> RecallMeasurement | None:
    return space.measurements.filter(state=State.DONE).first()


def too_low(measurement: RecallMeasurement) -> list[dict[str, Any]]:
    """Return the figures with a recall below ENOUGH."""
    return [figure for figure in measurement.figures if figure["recall"] < ENOUGH]


# --- In a worker ------------------------------------------------------------------


def run() -> None:
    """Run all measurements that wait or have lost their worker."""
    while lease := leases.take(_open(), LEASE, state=State.RUNNING, figures=[]):
        try:
            _run(lease)
        except Lost:
            logger.warning("The measurement %s is another worker's by now.", lease.row.pk)
    _forget_old()


def _run(lease: Lease[RecallMeasurement]) -> None:
    """Run one measurement. Raises Lost, and any unexpected error that ends the measurement."""
    measurement = lease.row
    if measurement.created_at < timezone.now() - _GIVEN_UP_AFTER:
        _finish(lease, State.FAILED, GIVEN_UP)
        return
    try:
        for figure in figures(measurement.space):
            lease.keep(figures=[*measurement.figures, asdict(figure)])
    except Unavailable as error:
        _finish(lease, State.FAILED, str(error))
    except Lost:
        raise
    except Exception:
        _finish(lease, State.FAILED, FAILED)
        raise
    else:
        _finish(lease, State.DONE)


def _finish(lease: Lease[RecallMeasurement], state: str, error: str = "") -> None:
    lease.release(state=state, error=error, finished_at=timezone.now())


def _forget_old() -> None:
    kept = RecallMeasurement.objects.values_list("pk", flat=True)[:_KEPT]
    RecallMeasurement.objects.exclude(pk__in=list(kept)).delete()


# --- Measuring --------------------------------------------------------------------


def figures(space: EmbeddingSpace) -> Iterator[Figure]:
    """Yield a figure for each scope and kind of query. Raises Unavailable if the encoder is
    down."""
    texts = client.encode_own_texts(space, query_texts(languages.known(space)))
    pictures = sample.draw(space).vectors[:QUERIES]
    queries: list[tuple[Kind, Vectors]] = [("text", texts), ("image", pictures)]
    queries = [(kind, vectors) for kind, vectors in queries if len(vectors)]
    for name, scope in scopes():
        truth = best(space, np.concatenate([vectors for _kind, vectors in queries]), scope())
        start = 0
        for kind, vectors in queries:
            part = truth.part(start, start + len(vectors))
            start += len(vectors)
            if part.pictures:
                yield _figure(space, kind, name, vectors, scope, part)


def query_texts(known: list[str]) -> list[str]:
    """Return QUERIES texts, always the same for the same languages: captions in the languages that
    the model knows, and random combinations of parts of captions. No user's searches are used."""
    mixer = random.Random(0)  # noqa: S311 - no secret
    captions = [*ENGLISH, *(text for code in known if code != "en" for text in CAPTIONS[code])]
    composed = {" and ".join(mixer.sample(PARTS, mixer.randint(1, 2))) for _ in range(2 * QUERIES)}
    texts = mixer.sample(captions, min(len(captions), QUERIES // 2))
    return [*texts, *mixer.sample(sorted(composed), QUERIES - len(texts))]


def scopes() -> Iterator[tuple[str, Callable[[], ImageQuerySet]]]:
    """Yield the scopes by name: all that a visitor may see, all that the owner of the most pictures
    may see, all that the user with the most shared pictures may see, and a narrow filter."""
    yield "public", lambda: Image.objects.visible_to(AnonymousUser())
    owner = User.objects.annotate(n=Count("images")).filter(n__gt=0).order_by("-n", "pk").first()
    if owner is not None:
        yield "owner", lambda: Image.objects.visible_to(owner)
    shares = AlbumShare.objects.filter(user__isnull=False).values("user")
    most = shares.annotate(n=Count("album__items")).filter(n__gt=0).order_by("-n", "user").first()
    if most is not None:
        member = User.objects.get(pk=most["user"])
        yield "member", lambda: Image.objects.visible_to(member)
    if owner is not None:
        newest = Image.objects.visible_to(owner).order_by("-created_at")
        since = newest.values_list("created_at", flat=True)
        count = newest.count()
        if count >= _NARROWED_TO:
            moment = since[count // _NARROWED_TO - 1]
            wanted = {"created_after": moment.isoformat()}
            yield "narrow", lambda: narrow(Image.objects.visible_to(owner), wanted, owner)


@dataclass(frozen=True)
class Truth:
    """The exact results of n queries: the `ids` of up to K pictures for each, and `least` (n,), the
    cosine of the last of them. `pictures` is the size of the scope."""

    ids: list[set[UUID]]
    least: Vectors
    pictures: int

    def part(self, start: int, stop: int) -> Truth:
        return Truth(self.ids[start:stop], self.least[start:stop], self.pictures)


def best(space: EmbeddingSpace, queries: Vectors, scope: ImageQuerySet) -> Truth:
    """Return the exact results for unit vectors (n, d), in one pass over the vectors of `scope`.

    As in SQL, both sides are rounded to half precision, so their lengths differ from 1.
    """
    halves = queries.astype(np.float16).astype(np.float32)
    entries = Embedding.objects.filter(space_id=space.pk, image__in=scope.order_by())
    rows = entries.values_list("image_id", sample.SENT)
    scores = np.empty((len(queries), 0), dtype=np.float32)
    ids = np.empty((len(queries), 0), dtype=object)
    pictures = 0
    with transaction.atomic():  # outside one, the cursor would copy all rows (WITH HOLD)
        for chunk_ids, vectors in _chunks(rows.iterator(chunk_size=_AT_ONCE)):
            pictures += len(chunk_ids)
            found = l2_normalise(halves) @ l2_normalise(vectors).T
            kept = _highest(found)
            scores = np.concatenate([scores, np.take_along_axis(found, kept, 1)], axis=1)
            ids = np.concatenate([ids, chunk_ids[kept]], axis=1)
            kept = _highest(scores)
            scores, ids = np.take_along_axis(scores, kept, 1), np.take_along_axis(ids, kept, 1)
    least = scores.min(axis=1) if pictures else np.zeros(len(queries), dtype=np.float32)
    return Truth([set(row) for row in ids], least, pictures)


def _highest(scores: Vectors) -> np.ndarray:
    """Return the columns of the K highest values in each row of (n, m), in any order."""
    if scores.shape[1] <= K:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.argpartition(-scores, K - 1, axis=1)[:, :K]


def _chunks(rows: Iterator[tuple[UUID, bytes]]) -> Iterator[tuple[np.ndarray, Vectors]]:
    ids: list[UUID] = []
    sent: list[bytes] = []
    for image_id, vector in rows:
        ids.append(image_id)
        sent.append(vector)
        if len(ids) == _AT_ONCE:
            yield np.array(ids, dtype=object), sample.decoded(sent)
            ids, sent = [], []
    if ids:
        yield np.array(ids, dtype=object), sample.decoded(sent)


def _figure(
    space: EmbeddingSpace,
    kind: Kind,
    name: str,
    vectors: Vectors,
    scope: Callable[[], ImageQuerySet],
    truth: Truth,
) -> Figure:
    recalls: list[float] = []
    took: list[float] = []
    exact = 0
    for vector, ids, least in zip(vectors, truth.ids, truth.least, strict=True):
        start = time.perf_counter()
        found = planner.nearest(space, vector, scope(), pages.FIRST_WINDOW, kind)
        took.append((time.perf_counter() - start) * 1000)
        exact += found.exact
        recalls.append(_recall(found, ids, float(least)))
    return Figure(
        kind=kind,
        scope=name,
        pictures=truth.pictures,
        queries=len(recalls),
        recall=round(float(np.mean(recalls)), 4),
        worst=min(recalls),
        none=round(sum(recall == 0 for recall in recalls) / len(recalls), 4),
        exact=round(exact / len(recalls), 4),
        ms=round(float(np.median(took)), 2),
    )


def _recall(found: planner.Ranking, ids: set[UUID], least: float) -> float:
    """Return the share of hits among the first results, as many as there are true `ids`. A
    picture as near as the last of the true ones counts as a hit."""
    first = zip(found.ids[: len(ids)], found.scores, strict=False)
    hits = sum(pk in ids or (score is not None and score >= least - _SAME) for pk, score in first)
    return hits / len(ids)
