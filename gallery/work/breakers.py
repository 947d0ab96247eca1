"""What is away: storage, a model. While a breaker is open nobody works on what needs the
thing, so that no picture pays for it; it is asked for again and again, and work goes on by
itself when it answers.

That database or broker are away needs no row: without the first nothing can be claimed or
noted (gallery.work.drain waits), and the second only wakes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from gallery.models import Outage

logger = logging.getLogger(__name__)

# Asked for again after the first, doubled with each time up to the second.
SOONEST, LATEST = timedelta(seconds=2), timedelta(seconds=30)

# Raises if the thing does not answer.
_Probe = Callable[[], None]
_probes: dict[str, _Probe] = {}


def register(thing: str, probe: _Probe) -> None:
    """`probe` raises whatever it likes while `thing` is away."""
    _probes[thing] = probe


def trip(thing: str, detail: str) -> bool:
    """`thing` has failed somebody. Returns whether it is away; it may as well answer, and
    what failed was one file of it."""
    if thing in _probes and _answers(thing):
        return False
    _outage, is_new = Outage.objects.update_or_create(
        thing=thing,
        defaults={"detail": detail[:2000]},
        create_defaults={"detail": detail[:2000], "ask_at": timezone.now() + SOONEST},
    )
    if is_new:
        logger.error("%s is away: %s", thing, detail)
    return True


def is_away(thing: str) -> bool:
    return Outage.objects.filter(pk=thing).exists()


def asking(things: Iterable[str]) -> list[str] | None:
    """None while any of these is known to be away. Who comes when it is time to ask again does
    so for everybody; what can be asked by using it alone is returned, to be used and then
    closed."""
    to_try = []
    for outage in Outage.objects.filter(thing__in=list(things)):
        if not _is_due(outage) or (outage.thing in _probes and not _answers(outage.thing)):
            return None
        if outage.thing in _probes:
            close([outage.thing])
        else:
            to_try.append(outage.thing)
    return to_try


def ask_again() -> None:
    """Ask for all that is away and can be asked, whether or not work waits for it."""
    for outage in Outage.objects.filter(thing__in=list(_probes)):
        if _is_due(outage) and _answers(outage.thing):
            close([outage.thing])


def _is_due(outage: Outage) -> bool:
    """Whether it is time to ask, and nobody else does."""
    now = timezone.now()
    wait = min(SOONEST * 2 ** min(outage.asked + 1, 10), LATEST)
    due = Outage.objects.filter(pk=outage.pk, ask_at__lte=now)
    return bool(due.update(ask_at=now + wait, asked=F("asked") + 1))


def close(things: Iterable[str]) -> None:
    """They answer again."""
    for outage in Outage.objects.filter(pk__in=list(things)):
        logger.warning("%s is back, after %s.", outage.thing, timezone.now() - outage.since)
        outage.delete()


def _answers(thing: str) -> bool:
    try:
        _probes[thing]()
    except Exception as error:  # whatever kind of storage or hub it is
        logger.info("%s still does not answer: %r", thing, error)
        return False
    return True
