"""The analyser that labels new pictures, by all sets that are applied.

A switch of spaces raises its version: all pictures are then labelled again in the new space.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from gallery.encoders import client
from gallery.errors import Unavailable
from gallery.indexing.encoding import name_of
from gallery.indexing.spaces import active_space
from gallery.labels import fitting
from gallery.labels.scopes import labelled_by
from gallery.labels.writing import Order, Target, write
from gallery.models import Embedding, EmbeddingSpace, LabelFit, LabelSet
from gallery.work import backfill, ledger
from gallery.work.analyser import Analyser, Entry

ANALYSER = "labelling"
BATCH = 200
_NEEDED_OF_SET = ("owner__username", "applied")
_NEEDED_OF_JOB = (
    *("label_set", "fit__space", "fit__checksum"),
    *("fit__version__mode", "fit__version__label_set"),
)
# A vector has the time at which the transaction that stores it began.
_LONGEST = timedelta(minutes=10)


class Labelling(Analyser):
    name = ANALYSER
    things = ()
    batch_size = BATCH

    def __init__(self, space: EmbeddingSpace) -> None:
        self.space = space
        self.version = space.generation
        self.needs = (name_of(space),)

    def open(self) -> bool:
        """Return False while the space lacks a fit of an applied set: without it, its labels
        would be missing."""
        return all(_has_fit(label_set, self.space) for label_set in applied_sets())

    def hold(self) -> bool:
        """Lock the space and the sets. Return False if the space is no longer active: its labels
        do not count then."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM gallery_embeddingspace WHERE id = %s AND generation = %s"
                " AND state = 'active' FOR SHARE",
                [self.space.pk, self.version],
            )
            if cursor.fetchone() is None:
                return False
            cursor.execute(
                "SELECT FROM gallery_labelset WHERE applied_id IS NOT NULL"
                " AND deleted_at IS NULL ORDER BY id FOR SHARE"
            )
        return True

    def store(self, entries: Sequence[Entry], results: Sequence[Any]) -> None:
        """Label the pictures. It happens here and not in `run`: a set that is applied in between
        would not see them."""
        label(self.space, [entry.image_id for entry in entries])


def analysers() -> Iterable[Labelling]:
    space = active_space()
    if space is None or not space.is_loaded or not is_wanted():
        return []
    return [Labelling(space)]


def applied_sets() -> QuerySet[LabelSet]:
    """Return the applied sets, with what labelling needs of them: all sets are read for each new
    picture, and definitions and qualities may be large."""
    applied = LabelSet.objects.filter(applied__isnull=False, deleted_at=None)
    return (
        applied.select_related("owner", "applied__fit__version")
        .only(*_NEEDED_OF_SET, *(f"applied__{name}" for name in _NEEDED_OF_JOB))
        .order_by("id")
    )


def is_wanted() -> bool:
    return LabelSet.objects.filter(applied__isnull=False, deleted_at=None).exists()


def label(space: EmbeddingSpace, images: Sequence[UUID]) -> None:
    """Label these pictures by all applied sets, in the caller's transaction. The sets of one
    owner, who sees the same pictures in all of them, are done together."""
    there = encoded(images, space)
    orders: defaultdict[int | None, list[Order]] = defaultdict(list)
    sample: dict[int | None, LabelSet] = {}
    for label_set in applied_sets():
        order = order_of(label_set, space)
        if order is not None:
            orders[label_set.owner_id].append(order)
            sample[label_set.owner_id] = label_set
    for owner, own in orders.items():
        seen = list(labelled_by(sample[owner]).filter(pk__in=there).values_list("pk", flat=True))
        if seen:
            write(own, seen, Target.of_fits([order.fit for order in own], space, seen))


def order_of(label_set: LabelSet, space: EmbeddingSpace) -> Order | None:
    """Return in whose name and how a set labels pictures in `space`: by the fit of its job or,
    in another space than the job's, by the newest one of the same version. None without a fit."""
    job = label_set.applied
    if job is None or job.fit is None:
        return None
    fit = job.fit if job.fit.space_id == space.pk else _newest(job.fit.version_id, space)
    return None if fit is None or fit.checksum != space.checksum else Order(job, fit)


def encoded(images: Sequence[UUID], space: EmbeddingSpace) -> list[UUID]:
    """Return those of `images` that have a vector in `space`."""
    found = Embedding.objects.filter(image__in=list(images), space=space, part=0)
    return list(found.values_list("image_id", flat=True))


def start_over() -> None:
    """Have all pictures without a row queued: no set was applied while they came."""
    backfill.start_over([ANALYSER])


def again_since(moment: datetime) -> None:
    """Have pictures that were encoded since `moment` labelled again."""
    fresh = Embedding.objects.filter(encoded_at__gte=moment - _LONGEST, part=0)
    ids = list(fresh.values_list("image_id", flat=True).distinct())
    ledger.requeue(ids, analysers())


def _has_fit(label_set: LabelSet, space: EmbeddingSpace) -> bool:
    """Whether the set can label in `space`. Makes its fit if the encoder is there."""
    job = label_set.applied
    if job is None or job.fit is None or order_of(label_set, space) is not None:
        return True
    try:
        fitting.make(job.fit.version, space, client.encode_texts)
    except Unavailable:
        return False
    return True


def _newest(version_id: int, space: EmbeddingSpace) -> LabelFit | None:
    found = LabelFit.objects.filter(version=version_id, space=space, checksum=space.checksum)
    return found.select_related("version").first()
