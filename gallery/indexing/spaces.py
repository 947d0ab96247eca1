"""The life cycle of embedding spaces: add, prepare, activate, roll back, remove."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gallery import prepared, task_names, trail
from gallery.dispatch import on_commit
from gallery.encoders.base import Encoder, ModelUnavailable
from gallery.encoders.registry import get_encoder
from gallery.errors import Refusal, Unavailable
from gallery.indexing import concepts, states, vector_indexes
from gallery.indexing.encoding import Encoding, model_of, name_of, target_spaces
from gallery.models import Analysis, Embedding, EmbeddingSpace, Outage
from gallery.trail import Event
from gallery.work import backfill, breakers

logger = logging.getLogger(__name__)


State = EmbeddingSpace.State

_preparing = threading.Lock()


def active_space() -> EmbeddingSpace | None:
    found = prepared.instances(
        EmbeddingSpace,
        f"SELECT {prepared.columns(EmbeddingSpace, 'space')}"  # noqa: S608 - our own names
        " FROM gallery_embeddingspace space WHERE state = 'active' ORDER BY id LIMIT 1",
    )
    return found[0] if found else None


def require_active_space() -> EmbeddingSpace:
    """The space that answers. Raises Unavailable before the first one is ready."""
    space = active_space()
    if space is None and failed_space() is not None:
        raise Unavailable(
            "model_unavailable",
            _("Search is not available: its model could not be loaded. Tell the administrator."),
            retry_after=60,
        )
    if space is None:
        raise Unavailable(
            "no_active_space",
            _("Search is being prepared: the model is still loading. Try again in a moment."),
            retry_after=5,
        )
    return space


def failed_space() -> EmbeddingSpace | None:
    """The latest space whose model could not be loaded; `error` says why in one sentence."""
    return EmbeddingSpace.objects.filter(state=State.FAILED).order_by("-id").first()


def ensure_first_space() -> EmbeddingSpace:
    """Create the first space of a new installation from CLIPSITE_MODEL. Later calls change
    nothing."""
    existing = target_spaces().first() or EmbeddingSpace.objects.first()
    return existing or add_space(settings.CLIPSITE_MODEL, settings.CLIPSITE_PRETRAINED)


@transaction.atomic
def add_space(architecture: str, pretrained: str = "") -> EmbeddingSpace:
    """Start building a space beside the active one, which keeps serving. Workers encode the
    pictures.

    Raises Refusal if the same model is in use already.
    """
    if target_spaces().filter(architecture=architecture, pretrained=pretrained).exists():
        raise Refusal("space_exists", _("This model is in use already."), "architecture")
    space = EmbeddingSpace.objects.create(architecture=architecture, pretrained=pretrained)
    on_commit(task_names.PREPARE_SPACES)
    return space


def retry(space: EmbeddingSpace) -> None:
    """Try to load a failed model once more."""
    EmbeddingSpace.objects.filter(pk=space.pk, state=State.FAILED).update(
        state=State.BUILDING, error=""
    )
    backfill.start_over([name_of(space)])
    on_commit(task_names.PREPARE_SPACES)


def retry_first_space() -> None:
    """Retry the first failed model if no space is in use yet. This runs at each start."""
    first = EmbeddingSpace.objects.filter(state=State.FAILED).order_by("id").first()
    if first is not None and not target_spaces().exists():
        retry(first)


def missing_after(space: EmbeddingSpace) -> int:
    """How many pictures that can be found now could not be found if `space` were active."""
    active = active_space()
    if active is None:
        return 0
    found = Embedding.objects.filter(space=active, part=0, image__deleted_at=None)
    # PostgreSQL compares the rows of a large NOT IN one by one, but not those of NOT EXISTS.
    return found.filter(~Exists(space.embeddings.filter(image=OuterRef("image")))).count()


@transaction.atomic
def activate(space: EmbeddingSpace, missing: int = 0) -> None:
    """Let `space` answer searches from now on; the active one is retired and kept.

    `missing` is the number of pictures that an administrator has agreed to find no longer.
    Raises Refusal if there would be more, if the model is not loaded yet, or while the
    space's index is not built.
    """
    space = _locked(space)
    if not space.is_loaded:
        raise Refusal("space_not_loaded", _("No encoder has loaded this model yet."))
    _agree(space, missing)
    if not vector_indexes.has_index(space) or vector_indexes.lists_are_due(space):
        raise Refusal(
            "space_not_indexed", _("The search index of this model is still being built.")
        )
    _switch_to(space)


def _agree(space: EmbeddingSpace, missing: int) -> None:
    """Raise Refusal if more pictures than `missing` could no longer be found."""
    lost = missing_after(space)
    if lost > missing:
        raise Refusal(
            "space_not_ready",
            ngettext(
                "%(count)d picture that is found now has no vector of this model.",
                "%(count)d pictures that are found now have no vector of this model.",
                lost,
            )
            % {"count": lost},
        )


def previous_space() -> EmbeddingSpace | None:
    """The retired space that was active last."""
    retired = EmbeddingSpace.objects.filter(state=State.RETIRED)
    return retired.order_by("-activated_at").first()


@transaction.atomic
def roll_back(missing: int | None = None) -> EmbeddingSpace:
    """Return to the space that was active before. Raises Refusal if there is none, or if more
    pictures than `missing` could no longer be found (None: no limit, for an emergency).

    Pictures that were uploaded since are encoded in it afterwards.
    """
    previous = previous_space()
    if previous is None:
        raise Refusal("no_previous_space", _("There is no earlier model to go back to."))
    previous = _locked(previous)
    if previous.state != State.RETIRED:  # somebody else was quicker
        raise Refusal("space_exists", _("This model is in use already."))
    if missing is not None:
        _agree(previous, missing)
    _switch_to(previous)
    return previous


def _switch_to(space: EmbeddingSpace) -> None:
    """Make `space` the active one. The caller's transaction holds all spaces (`_locked`)."""
    latest = EmbeddingSpace.objects.aggregate(latest=Max("generation"))["latest"] or 0
    EmbeddingSpace.objects.filter(state=State.ACTIVE).exclude(pk=space.pk).update(
        state=State.RETIRED
    )
    breakers.close(map(model_of, EmbeddingSpace.objects.filter(state=State.RETIRED)))
    space.state, space.activated_at = State.ACTIVE, timezone.now()
    space.error, space.generation = "", latest + 1
    space.save(update_fields=["state", "activated_at", "error", "generation"])
    trail.record(Event.SPACE_ACTIVATED, target=space, model=space.name)
    # A retired space lacks the pictures that were uploaded since.
    backfill.start_over([name_of(space)])
    on_commit(task_names.PREPARE_SPACES)


@transaction.atomic
def remove(space: EmbeddingSpace) -> None:
    """Delete a space that is not active, with its vectors and its index."""
    space = _locked(space)
    if space.state == State.ACTIVE:
        raise Refusal("space_active", _("The active model cannot be removed."))
    backfill.start_over([name_of(space)])
    breakers.close([model_of(space)])
    Analysis.objects.filter(analyser=name_of(space)).delete()
    number = int(space.pk)
    space.delete()
    vector_indexes.drop_indexes(number)


def _locked(space: EmbeddingSpace) -> EmbeddingSpace:
    """Lock all spaces until the transaction ends, and return the current state of `space`.
    Others who switch or remove spaces or store vectors wait, and then see the new state.
    Raises Refusal (space_gone)."""
    spaces = {each.pk: each for each in EmbeddingSpace.objects.select_for_update().order_by("pk")}
    if space.pk not in spaces:
        raise Refusal("space_gone", _("This model has been removed."))
    return spaces[space.pk]


# --- In the encoder worker --------------------------------------------------------


def needs_preparing() -> bool:
    """Whether a space waits for its model to be loaded for the first time, or for the vectors of
    everyday concepts."""
    return any(space.dimensions is None or _lacks_concepts(space) for space in target_spaces())


def _lacks_concepts(space: EmbeddingSpace) -> bool:
    return space.is_loaded and not space.error and not concepts.are_made(space)


def is_model_away() -> bool:
    """Whether a model that was loaded before cannot be loaded now, and a retry is due."""
    away = {model_of(space) for space in target_spaces()}
    return Outage.objects.filter(pk__in=away, ask_at__lte=timezone.now()).exists()


def prepare_spaces() -> None:
    """Load the model of each space once, record its properties, build its index and encode the
    everyday concepts.

    A model that cannot be loaded gets one sentence as its error; the active space goes on
    serving. The first space of all is activated as soon as it is prepared, so that a new
    installation can search at once.
    """
    if not _preparing.acquire(blocking=False):
        return
    try:
        for space in target_spaces():
            _prepare(space)
    finally:
        _preparing.release()


def _prepare(space: EmbeddingSpace) -> None:
    if breakers.asking([model_of(space)]) is None:
        return
    try:
        encoder = get_encoder(space.architecture, space.pretrained)
    except ModelUnavailable as error:
        logger.error("%s", error)
        if space.is_loaded:  # it was loaded before, so it may come back
            breakers.trip(model_of(space), str(error))
        else:
            EmbeddingSpace.objects.filter(pk=space.pk, state=State.BUILDING).update(
                state=State.FAILED, error=str(error)
            )
        return
    if not space.is_loaded:
        _adopt(space, encoder)
    elif encoder.checksum == space.checksum:
        breakers.close([model_of(space)])
    else:
        _succeed(space, encoder)
    if space.state == State.BUILDING and active_space() is None:
        vector_indexes.create_index(space)
        with transaction.atomic():
            _switch_to(_locked(space))
    # Searches need not wait for these.
    if encoder.checksum == space.checksum and _lacks_concepts(space):
        concepts.make(space, encoder)


def finish_spaces() -> None:
    """Build the index of each space that has all its vectors but no index: one bulk build takes
    a third of the time of as many insertions. If the weights of the active space are gone,
    activate the space with the new weights as soon as it finds as many pictures."""
    for space in _loaded_spaces():
        if not vector_indexes.has_index(space) and _is_encoded(space):
            vector_indexes.create_index(space)
    active = active_space()
    if active is None or not breakers.is_away(model_of(active)):
        return
    same_model = {"architecture": active.architecture, "pretrained": active.pretrained}
    for heir in _loaded_spaces().filter(state=State.BUILDING, **same_model):
        try:
            activate(heir)
        except Refusal as refusal:
            logger.info("%s cannot take over yet: %s", heir, refusal)


def _is_encoded(space: EmbeddingSpace) -> bool:
    """Whether the backfill of the space is finished and no picture waits."""
    return backfill.is_finished(Encoding(space)) and not states.waiting(space).exists()


def _adopt(space: EmbeddingSpace, encoder: Encoder) -> None:
    """Record the properties of a model that was loaded for the first time."""
    space.dimensions = encoder.dimensions
    space.logit_scale = encoder.logit_scale
    space.logit_bias = encoder.logit_bias
    space.checksum = encoder.checksum
    space.save(update_fields=["dimensions", "logit_scale", "logit_bias", "checksum"])


@transaction.atomic
def _succeed(space: EmbeddingSpace, encoder: Encoder) -> None:
    """Start a new space for new weights under the same name (an upgrade of the bundled model):
    their vectors are not comparable. Until it takes over, pictures can still be found by
    other pictures of the old space, but by nothing that has to be encoded."""
    _locked(space)
    detail = f"The weights of {space} have changed: all pictures are encoded anew."
    breakers.trip(model_of(space), detail)
    known = EmbeddingSpace.objects.filter(
        architecture=space.architecture, pretrained=space.pretrained, checksum=encoder.checksum
    )
    if known.exclude(state=State.RETIRED).exists():
        return
    logger.warning(detail)
    heir = known.first() or EmbeddingSpace.objects.create(
        architecture=space.architecture, pretrained=space.pretrained
    )
    heir.state = State.BUILDING
    heir.save(update_fields=["state"])
    # A space that was retired lacks the pictures that were uploaded since.
    backfill.start_over([name_of(heir)])
    _adopt(heir, encoder)


# --- In the worker for chores -----------------------------------------------------


def lists_are_due() -> bool:
    return any(vector_indexes.lists_are_due(space) for space in _loaded_spaces())


def refresh_lists() -> None:
    """Build the lists that are due. That takes minutes in a large library, so the encoder
    worker does not do it."""
    for space in filter(vector_indexes.lists_are_due, _loaded_spaces()):
        vector_indexes.refresh_lists(space)


def _loaded_spaces() -> QuerySet[EmbeddingSpace]:
    return target_spaces().filter(dimensions__isnull=False)
