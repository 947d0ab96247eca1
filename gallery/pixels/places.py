"""Places for decoding: however many pictures come at once, their pixels fit the memory.

A process decodes small pictures itself, as many at once as fit SHARED_BYTES, in web
processes WEB_SHARED_BYTES: an encoder holds a model besides. A large one is decoded by a
process of its own (`isolation`), and for all of these together a machine has LARGE_PLACES
places. The last of them is for web processes alone, since there somebody waits for the
answer.

The places of large pictures are locks on files, which the system frees however a process
ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from gallery.errors import Unavailable

# What a picture may cost that is decoded in the process that has it, and what all such
# pictures may cost together.
SMALL_BYTES = 96 * 1024**2
SHARED_BYTES = SMALL_BYTES
WEB_SHARED_BYTES = 256 * 1024**2
LARGE_PLACES = 2

_RETRY_AFTER = 5
_POLL_SECONDS = 0.05

# Where the locks lie: all processes of a machine meet there.
locks = Path(tempfile.gettempdir(), f"clipsite-{os.getuid()}")
# How long to wait for a place. Workers have time; web processes say otherwise.
patience_seconds: float | None = None

_free = SHARED_BYTES
_changed = threading.Condition()
# Locks on files are those of a process: its threads need one more.
_taken_here = [threading.Lock() for _place in range(LARGE_PLACES)]


def be_quick(seconds: float = 4.0) -> None:
    """Somebody waits for the answers of this process: it gives up after `seconds`."""
    global patience_seconds, _free
    patience_seconds = seconds
    with _changed:
        _free += WEB_SHARED_BYTES - SHARED_BYTES


class Busy(Unavailable):
    """There is no place or no time just now, which says nothing about the picture."""


@contextmanager
def small(cost: int) -> Iterator[None]:
    """Hold `cost` bytes (at most SMALL_BYTES). Raises Busy where they do not become
    free in time."""
    global _free
    with _changed:
        if not _changed.wait_for(lambda: _free >= cost, patience_seconds):
            raise busy()
        _free -= cost
    try:
        yield
    finally:
        with _changed:
            _free += cost
            _changed.notify_all()


@contextmanager
def large() -> Iterator[None]:
    """Hold one of the places for large pictures. Raises Busy as `small` does."""
    is_web = patience_seconds is not None
    places = range(LARGE_PLACES if is_web else LARGE_PLACES - 1)
    deadline = time.monotonic() + (patience_seconds or float("inf"))
    while (held := _first_free(places)) is None:
        if time.monotonic() >= deadline:
            raise busy()
        time.sleep(_POLL_SECONDS)
    place, descriptor = held
    try:
        yield
    finally:
        os.close(descriptor)
        _taken_here[place].release()


def _first_free(places: range) -> tuple[int, int] | None:
    """A place and the open file that holds it."""
    # The one that nobody but web processes may have is tried first.
    for place in reversed(places):
        if not _taken_here[place].acquire(blocking=False):
            continue
        try:
            descriptor = os.open(_file_of(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except BaseException:
            _taken_here[place].release()
            raise
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return place, descriptor
        os.close(descriptor)
        _taken_here[place].release()
    return None


def _file_of(place: int) -> Path:
    locks.mkdir(mode=0o700, exist_ok=True)
    return locks / f"decoding-{place}.lock"


def busy() -> Busy:
    return Busy(
        "decoding_busy",
        _("Too many large pictures are being read just now. Try again in a few seconds."),
        retry_after=_RETRY_AFTER,
    )


def too_slow() -> Busy:
    return Busy(
        "decoding_slow",
        _("This picture could not be read in time. Try again in a few seconds."),
        retry_after=_RETRY_AFTER,
    )
