"""Limits how often somebody may guess: passwords of links, names of accounts.

The cache counts the attempts in fixed time windows. While it is down nothing is counted, and
people still get access.
"""

from __future__ import annotations

import time

from django.core.cache import cache
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.trail import Event


class TooManyAttempts(Refusal):
    """There were too many attempts (HTTP 429). `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too_many_tries",
            _("Too many attempts. Wait %(minutes)d min and try again.")
            % {"minutes": max(1, -(-retry_after // 60))},
        )
        self.retry_after = retry_after


def count(what: str, most: int, seconds: int) -> None:
    """Count one attempt of `what`. Raises TooManyAttempts after `most` attempts within a window
    of `seconds`. It counts first and then checks, so that concurrent attempts count, too."""
    window, passed = divmod(int(time.time()), seconds)
    key = f"tries:{what}:{window}"
    if cache.add(key, 1, timeout=seconds):
        return
    try:
        tries: int | None = cache.incr(key)  # None: the cache is down
    except ValueError:  # the window ended in between
        return
    if tries is not None and tries > most:
        trail.failed(Event.TRIES_LOCKED, trail.actor(), what=what.partition(":")[0])
        raise TooManyAttempts(seconds - passed)
