"""Reads originals, and tells a storage that is away from a single missing file.

A storage may fail, hang, be full, or be empty because a disk is not mounted. None of that is
a picture's fault.
"""

from __future__ import annotations

import io
import os
import threading
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils.translation import gettext_noop

from gallery.models import Image
from gallery.work import breakers
from gallery.work.failures import Away, Fault

T = TypeVar("T")

# Names of what may be away: the whole storage, or only writing to it.
STORAGE, WRITING = "storage", "storage-writes"

MISSING = gettext_noop("The original is missing from the storage.")

# The largest original arrives in less time, even from another machine.
READ_SECONDS = 60.0
PROBE_SECONDS = 5.0
# If one original is missing, at least one of this many others must exist.
_OTHERS = 8
# Bytes that the probe writes to see whether there is room.
_ROOM = 2 * 1024**2

_asking: dict[str, threading.Thread] = {}


def read(name: str) -> io.BytesIO:
    """Return the whole original. Raises Fault (original_missing), Away."""
    try:
        try:
            return within(READ_SECONDS, lambda: _read(name))
        except FileNotFoundError:
            _check_others(name)
        try:
            # The storage may have come back since.
            return within(READ_SECONDS, lambda: _read(name))
        except FileNotFoundError as error:
            # And it may have gone again.
            _check_others(name)
            raise Fault("original_missing", MISSING, name) from error
    except (Away, Fault):
        raise
    except Exception as error:  # S3 clients and disks have their own exceptions
        raise Away(STORAGE, repr(error)) from error


def _read(name: str) -> io.BytesIO:
    with default_storage.open(name) as file:
        return io.BytesIO(file.read())


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return or raise what `work` does. Raises TimeoutError if it takes longer; its thread runs
    on then, because nothing can interrupt a read from a disk that hangs."""
    answer: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def answered() -> None:
        try:
            answer.put((work(), None))
        except BaseException as error:  # raised again in the waiting thread
            answer.put((None, error))
        finally:
            connection.close()

    threading.Thread(target=answered, name="storage", daemon=True).start()
    try:
        result, error = answer.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"No answer within {seconds:.0f} s.") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _check_others(name: str) -> None:
    """Raise Away if the whole storage is gone, and not only this file: some other originals should
    exist, and none does."""
    others = _some(name)
    if others and not within(READ_SECONDS, lambda: any(map(default_storage.exists, others))):
        raise Away(STORAGE, "None of the originals is where it was put.")


def _some(but: str = "") -> list[str]:
    """The names of some originals that should exist, chosen at random."""
    chance = uuid.uuid4()
    kept = Image.objects.filter(deleted_at=None).exclude(file=but).order_by("pk")
    names = list(kept.filter(pk__gte=chance).values_list("file", flat=True)[:_OTHERS])
    before = kept.filter(pk__lt=chance).values_list("file", flat=True)
    return names + list(before[: _OTHERS - len(names)])


# --- Probes -----------------------------------------------------------------------


def _ask(word: str, question: Callable[[], None]) -> None:
    """Run the probe `question`. Raises unless it succeeds in time. No second probe starts while
    one hangs."""
    before = _asking.get(word)
    if before is not None and before.is_alive():
        raise TimeoutError("The storage still hangs.")

    def asked() -> None:
        _asking[word] = threading.current_thread()
        question()

    within(PROBE_SECONDS, asked)


def _can_be_read() -> None:
    """Read from at least one of some originals: that a name exists says little about its
    bytes. Raises the last error if none can be read."""
    reason: Exception | None = None
    for name in _some():
        try:
            with default_storage.open(name) as file:
                file.read(1)
            return
        except Exception as error:  # each kind of storage has its own exceptions
            reason = error
    if reason is not None:
        raise reason


def _can_be_written() -> None:
    """Write as much as a picture's renditions may take: a nearly full disk still takes a
    single byte."""
    content = ContentFile(os.urandom(_ROOM))
    name = default_storage.save(f"incoming/{uuid.uuid4().hex}", content)
    try:
        _read(name)
    finally:
        default_storage.delete(name)


breakers.register(STORAGE, lambda: _ask(STORAGE, _can_be_read))
breakers.register(WRITING, lambda: _ask(WRITING, _can_be_written))
