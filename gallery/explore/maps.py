"""Which map is shown, when it is drawn anew, and who draws it: one worker at a time.

A claim ends by itself a little after its worker has died, as in the ledger
(gallery.indexing.ledger).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from gallery.explore.vectors import encoded
from gallery.indexing import ledger
from gallery.indexing.spaces import active_space
from gallery.models import EmbeddingSpace, ExploreMap

State = ExploreMap.State

# Fewer pictures are seen at a glance, and have no regions.
LEAST_PICTURES = 10
# Drawn anew when so many, as a share of those on it, were encoded since.
GROWTH = 0.5
# While pictures still arrive, not more often than this.
PATIENCE = timedelta(minutes=10)
# A map that failed is tried again after this time, or when an administrator says so.
RETRY_DELAY = timedelta(hours=6)
# Far longer than it takes to say that one is still at it.
LEASE = timedelta(seconds=60)


class LostClaim(Exception):
    """Another worker draws this map by now, or it is gone with its space."""


@dataclass
class Claim:
    """The right to draw one map until `until`, the very moment that its row tells."""

    map: ExploreMap
    until: datetime

    def keep(self, progress: float | None = None) -> None:
        """Stay the one that draws. Raises LostClaim."""
        until = timezone.now() + LEASE
        told = {} if progress is None else {"progress": progress}
        held = ExploreMap.objects.filter(pk=self.map.pk, claimed_until=self.until)
        if not held.update(claimed_until=until, **told):
            raise LostClaim
        self.until = until

    def fail(self, reason: str) -> None:
        """Give up for a while; `reason` is for the administrator."""
        ExploreMap.objects.filter(pk=self.map.pk, claimed_until=self.until).update(
            state=State.FAILED, error=reason[:2000], claimed_until=timezone.now() + RETRY_DELAY
        )

    def release(self) -> None:
        """Leave it to whoever comes next, now."""
        ExploreMap.objects.filter(pk=self.map.pk, claimed_until=self.until).update(
            state=State.WAITING, claimed_until=None
        )


def shown() -> ExploreMap | None:
    """The map of the active space; until it is drawn for the first time, the one that
    was drawn last; None before any is."""
    drawn = ExploreMap.objects.filter(built_at__isnull=False).select_related("space")
    of_active = drawn.filter(space__state=EmbeddingSpace.State.ACTIVE).first()
    return of_active or drawn.order_by("-built_at").first()


def in_the_making() -> ExploreMap | None:
    """The map of the active space while it is not ready, with its state and progress."""
    return (
        ExploreMap.objects.filter(space__state=EmbeddingSpace.State.ACTIVE)
        .exclude(state=State.READY)
        .first()
    )


def due() -> EmbeddingSpace | None:
    """The active space if its map has to be drawn and nobody is at it."""
    space = active_space()
    if space is None or not space.is_loaded:
        return None
    known = ExploreMap.objects.filter(space=space).first()
    if known and known.claimed_until and known.claimed_until > timezone.now():
        return None
    if known is None or known.built_at is None or known.state != State.READY:
        return space if _has_pictures(space, LEAST_PICTURES) else None
    if ledger.waiting(space).exists() and timezone.now() - known.built_at < PATIENCE:
        return None
    fresh = encoded(space).filter(encoded_at__gt=known.built_at)
    needed = max(1, round(known.laid_out * GROWTH))
    return space if fresh[:needed].count() >= needed else None


def claim(space: EmbeddingSpace) -> Claim | None:
    """The right to draw the map of `space`; None if somebody else has it."""
    drawn, _created = ExploreMap.objects.get_or_create(space=space)
    until = timezone.now() + LEASE
    free = ExploreMap.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=Now()), pk=drawn.pk
    )
    if not free.update(state=State.BUILDING, progress=0, error="", claimed_until=until):
        return None
    return Claim(drawn, until)


def draw_again(space: EmbeddingSpace) -> None:
    """Ask for a new map at the next look, whatever the reasons to wait. One that is
    being drawn is left to its worker."""
    ExploreMap.objects.filter(space=space).exclude(state=State.BUILDING).update(
        state=State.WAITING, claimed_until=None, error=""
    )


def _has_pictures(space: EmbeddingSpace, least: int) -> bool:
    return encoded(space)[:least].count() >= least
