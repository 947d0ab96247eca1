"""Circuit breakers for things that may be unavailable ("away"): the storage, a model.

While a breaker is open, nobody works on what needs the thing, so that no picture fails because
of it. Workers probe the thing again and again, and work goes on by itself when it answers.

The database and the broker need no breaker: without the database nothing can be claimed or
recorded (gallery.work.drain waits), and the broker only wakes workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from gallery.models import Outage

logger = logging.getLogger(__name__)

# The first probe comes after SOONEST; the wait doubles with each probe up to LATEST.
SOONEST, LATEST = timedelta(seconds=2), timedelta(seconds=30)

# Raises if the thing does not answer.
_Probe = Callable[[], None]
_probes: dict[str, _Probe] = {}


def register(thing: str, probe: _Probe) -> None:
    """Add the probe of `thing`. It raises any exception while `thing` is away."""
    _probes[thing] = probe


def trip(thing: str, detail: str) -> bool:
    """Report that an access to `thing` has failed. Return whether `thing` is away: if it
    answers its probe, only one file is at fault."""
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
    """Return None while any of `things` is known to be away. A caller who comes when a probe is
    due runs it for everybody. Things without a probe are returned: the caller tries them by
    using them, and then calls `close`."""
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
    """Probe all things that are away and have a probe, whether or not work waits for them."""
    for outage in Outage.objects.filter(thing__in=list(_probes)):
        if _is_due(outage) and _answers(outage.thing):
            close([outage.thing])


def _is_due(outage: Outage) -> bool:
    """Whether it is time to probe and no other worker does. Sets the time of the next probe."""
    now = timezone.now()
    wait = min(SOONEST * 2 ** min(outage.asked + 1, 10), LATEST)
    due = Outage.objects.filter(pk=outage.pk, ask_at__lte=now)
    return bool(due.update(ask_at=now + wait, asked=F("asked") + 1))


def close(things: Iterable[str]) -> None:
    """Record that `things` answer again."""
    for outage in Outage.objects.filter(pk__in=list(things)):
        logger.warning("%s is back, after %s.", outage.thing, timezone.now() - outage.since)
        outage.delete()


def _answers(thing: str) -> bool:
    try:
        _probes[thing]()
    except Exception as error:  # each kind of storage or hub has its own exceptions
        logger.info("%s still does not answer: %r", thing, error)
        return False
    return True
