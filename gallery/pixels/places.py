"""Places for decoding: they limit the pictures in work, so that all pixels fit into memory.

A process decodes small pictures itself, as many at once as fit into SHARED_BYTES; web
processes, which hold no model, have WEB_SHARED_BYTES. Large pictures are decoded in separate
processes (`isolation`), for which a machine has LARGE_PLACES places. The last place is reserved
for web processes, since users wait for their answers.

The places of large pictures are file locks, which the system releases however a process ends.
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

# The most that a picture decoded in the calling process may cost, and the most that all of
# them may cost together.
SMALL_BYTES = 96 * 1024**2
SHARED_BYTES = SMALL_BYTES
WEB_SHARED_BYTES = 256 * 1024**2
LARGE_PLACES = 2

_RETRY_AFTER = 5
_POLL_SECONDS = 0.05

# The folder of the locks, shared by all processes of the machine.
locks = Path(tempfile.gettempdir(), f"clipsite-{os.getuid()}")
# How long to wait for a place. Workers wait without a limit; web processes set one.
patience_seconds: float | None = None

_free = SHARED_BYTES
_changed = threading.Condition()
# Some file systems (NFS) give file locks to the process, so its threads need further locks.
_taken_here = [threading.Lock() for _place in range(LARGE_PLACES)]


def be_quick(seconds: float = 4.0) -> None:
    """Set up a web process: users wait for its answers, so it waits at most `seconds` for a
    place. It gets WEB_SHARED_BYTES."""
    global patience_seconds, _free
    patience_seconds = seconds
    with _changed:
        _free += WEB_SHARED_BYTES - SHARED_BYTES


class Busy(Unavailable):
    """There is no free place or no time at the moment, whatever the picture."""


@contextmanager
def small(cost: int) -> Iterator[None]:
    """Hold `cost` bytes (at most SMALL_BYTES). Raises Busy if they do not become free in
    time."""
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
    """Return a free place and the open file that holds it, or None."""
    # The place that is reserved for web processes is tried first.
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
