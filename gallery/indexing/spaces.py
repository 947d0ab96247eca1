"""The life of an embedding space: added, prepared, activated, rolled back, removed."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import prepared, trail
from gallery.doorbell import ring
from gallery.encoders.base import Encoder, ModelUnavailable
from gallery.encoders.registry import get_encoder
from gallery.errors import Refusal
from gallery.indexing import comparisons, ledger, vector_indexes
from gallery.models import Embedding, EmbeddingSpace
from gallery.trail import Event

logger = logging.getLogger(__name__)

LISTS_TASK = "gallery.tasks.refresh_lists"

State = EmbeddingSpace.State

_preparing = threading.Lock()


def active_space() -> EmbeddingSpace | None:
    found = prepared.instances(
        EmbeddingSpace,
        f"SELECT {prepared.columns(EmbeddingSpace, 'space')}"  # noqa: S608 - our own names
        " FROM gallery_embeddingspace space WHERE state = 'active' ORDER BY id LIMIT 1",
    )
    return found[0] if found else None


def failed_space() -> EmbeddingSpace | None:
    """The last model that could not be loaded, with its sentence in `error`."""
    return EmbeddingSpace.objects.filter(state=State.FAILED).order_by("-id").first()


def ensure_first_space() -> EmbeddingSpace:
    """The first space of a new installation, by CLIPSITE_MODEL; later calls change nothing."""
    existing = ledger.target_spaces().first() or EmbeddingSpace.objects.first()
    return existing or add_space(settings.CLIPSITE_MODEL, settings.CLIPSITE_PRETRAINED)


@transaction.atomic
def add_space(architecture: str, pretrained: str = "") -> EmbeddingSpace:
    """Start building a space beside the active one, which keeps serving.

    Raises Refusal if the same model is in use already.
    """
    if ledger.target_spaces().filter(architecture=architecture, pretrained=pretrained).exists():
        raise Refusal("space_exists", _("This model is in use already."), "architecture")
    space = EmbeddingSpace.objects.create(architecture=architecture, pretrained=pretrained)
    ledger.enqueue_all(space)
    ring("gallery.tasks.prepare_spaces")
    return space


def retry(space: EmbeddingSpace) -> None:
    """Try to load a failed model once more."""
    EmbeddingSpace.objects.filter(pk=space.pk, state=State.FAILED).update(
        state=State.BUILDING, error=""
    )
    ledger.enqueue_all(space)
    ring("gallery.tasks.prepare_spaces")


def retry_first_space() -> None:
    """Where nothing serves yet, a model that failed is worth another try at each start."""
    first = EmbeddingSpace.objects.filter(state=State.FAILED).order_by("id").first()
    if first is not None and not ledger.target_spaces().exists():
        retry(first)


def activate(space: EmbeddingSpace) -> None:
    """Let `space` answer searches from now on; the active one is retired and kept.

    Raises Refusal while pictures wait to be encoded in it, or its index to be built.
    """
    if not space.is_loaded:
        raise Refusal("space_not_loaded", _("No encoder has loaded this model yet."))
    waiting = ledger.waiting(space).count()
    if waiting:
        raise Refusal(
            "space_not_ready",
            _("%(count)d pictures are still to be encoded with this model.") % {"count": waiting},
        )
    if not vector_indexes.has_index(space):
        raise Refusal(
            "space_not_indexed", _("The search index of this model is still being built.")
        )
    _switch_to(space)


def roll_back() -> EmbeddingSpace:
    """Return to the space that was active before. Raises Refusal if there is none.

    Pictures that came since are encoded in it afterwards.
    """
    previous = EmbeddingSpace.objects.filter(state=State.RETIRED).order_by("-activated_at").first()
    if previous is None:
        raise Refusal("no_previous_space", _("There is no earlier model to go back to."))
    _switch_to(previous)
    return previous


@transaction.atomic
def _switch_to(space: EmbeddingSpace) -> None:
    EmbeddingSpace.objects.filter(state=State.ACTIVE).exclude(pk=space.pk).update(
        state=State.RETIRED
    )
    EmbeddingSpace.objects.filter(pk=space.pk).update(
        state=State.ACTIVE, activated_at=timezone.now(), error=""
    )
    space.refresh_from_db()
    trail.record(Event.SPACE_ACTIVATED, target=space, model=space.name)
    # A retired space misses what was uploaded since, and its weights may have changed.
    ledger.enqueue_all(space)
    # Near-duplicates are pairs of this space's vectors now.
    comparisons.start_over(space)
    ring("gallery.tasks.prepare_spaces")


def remove(space: EmbeddingSpace) -> None:
    """Delete a space that is not active, with its vectors and its index."""
    if space.state == State.ACTIVE:
        raise Refusal("space_active", _("The active model cannot be removed."))
    vector_indexes.drop_indexes(space)
    with transaction.atomic():
        _lock(space)
        space.delete()


# --- In the encoder worker --------------------------------------------------------


def needs_preparing() -> bool:
    """Whether a space waits for its model to be loaded for the first time."""
    return ledger.target_spaces().filter(dimensions=None).exists()


def prepare_spaces() -> None:
    """Load the model of each space once, note its facts and make its index.

    A model that cannot be loaded gets one sentence as its error; the active
    space goes on serving. The first space ever is activated as soon as it is
    prepared, so that a new installation can search at once.
    """
    if not _preparing.acquire(blocking=False):
        return
    try:
        for space in ledger.target_spaces():
            _prepare(space)
    finally:
        _preparing.release()


def _prepare(space: EmbeddingSpace) -> None:
    try:
        encoder = get_encoder(space.architecture, space.pretrained)
    except ModelUnavailable as error:
        logger.error("%s", error)
        EmbeddingSpace.objects.filter(pk=space.pk).update(error=str(error))
        EmbeddingSpace.objects.filter(pk=space.pk, state=State.BUILDING).update(state=State.FAILED)
        return
    if encoder.checksum != space.checksum:
        _adopt(space, encoder)
    if space.error:  # of an earlier try
        EmbeddingSpace.objects.filter(pk=space.pk).update(error="")
    if space.state == State.BUILDING and active_space() is None:
        vector_indexes.create_index(space)
        _switch_to(space)


def finish_spaces() -> None:
    """Make the index of each space that has all its vectors and no index yet: one
    bulk build takes a third of the time of as many insertions."""
    for space in _loaded_spaces():
        if not vector_indexes.has_index(space) and not ledger.waiting(space).exists():
            vector_indexes.create_index(space)


@transaction.atomic
def _adopt(space: EmbeddingSpace, encoder: Encoder) -> None:
    """Note what was loaded. Vectors of other weights under the same name (an upgrade
    of the bundled model) mean nothing any more and are made again."""
    _lock(space)
    if space.is_loaded:
        logger.warning("The weights of %s have changed: all pictures are encoded again.", space)
        space.embeddings.update(
            state=Embedding.State.PENDING, vector=None, attempts=0, claim=None, claimed_until=None
        )
        if space.dimensions != encoder.dimensions:
            vector_indexes.drop_indexes(space)
    space.dimensions = encoder.dimensions
    space.logit_scale = encoder.logit_scale
    space.logit_bias = encoder.logit_bias
    space.checksum = encoder.checksum
    space.save(update_fields=["dimensions", "logit_scale", "logit_bias", "checksum"])


def _lock(space: EmbeddingSpace) -> None:
    """Before all rows of a space are changed: workers that store vectors hold the space
    first (`ledger.complete`), and two orders would be a deadlock."""
    EmbeddingSpace.objects.select_for_update().filter(pk=space.pk).first()


# --- In the media worker ----------------------------------------------------------


def lists_are_due() -> bool:
    return any(vector_indexes.lists_are_due(space) for space in _loaded_spaces())


def refresh_lists() -> None:
    """Make what lists are due. That takes minutes in a large library, for which no encoder
    should wait."""
    for space in filter(vector_indexes.lists_are_due, _loaded_spaces()):
        vector_indexes.refresh_lists(space)


def _loaded_spaces() -> QuerySet[EmbeddingSpace]:
    return ledger.target_spaces().filter(dimensions__isnull=False)
