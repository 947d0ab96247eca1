"""Reading what was uploaded, and telling a storage that is away from a file that is.

A storage may fail, hang, be full, or be empty since a disk was not mounted. None of that is
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

# The words of what may be away: all of it, or writing alone.
STORAGE, WRITING = "storage", "storage-writes"

MISSING = gettext_noop("The original is missing from the storage.")

# An original of the largest size arrives in less, also from another machine.
READ_SECONDS = 60.0
PROBE_SECONDS = 5.0
# Of so many other originals at least one must be there, if one is not.
_OTHERS = 8
# Bytes that are written to see whether there is room.
_ROOM = 2 * 1024**2

_asking: dict[str, threading.Thread] = {}


def read(name: str) -> io.BytesIO:
    """The whole original. Raises Fault (original_missing), Away."""
    try:
        return within(READ_SECONDS, lambda: _read(name))
    except FileNotFoundError as error:
        if _is_gone(name):
            raise Away(STORAGE, "None of the originals is where it was put.") from error
        raise Fault("original_missing", MISSING, name) from error
    except Exception as error:  # S3 clients and disks bring exceptions of their own
        raise Away(STORAGE, repr(error)) from error


def _read(name: str) -> io.BytesIO:
    with default_storage.open(name) as file:
        return io.BytesIO(file.read())


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises; TimeoutError if it takes longer. It is left alone then:
    no thread can be taken out of a disk that hangs."""
    answer: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def answered() -> None:
        try:
            answer.put((work(), None))
        except BaseException as error:  # raised where it is waited for
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


def _is_gone(name: str) -> bool:
    """Whether it is the storage that is gone, and not this file alone: some other originals
    should be there, and none is. Raises Away where that cannot be told."""
    others = _some(name)
    try:
        return bool(others) and not within(
            READ_SECONDS, lambda: any(map(default_storage.exists, others))
        )
    except Exception as error:
        raise Away(STORAGE, repr(error)) from error


def _some(but: str = "") -> list[str]:
    """The names of some originals that should be there, not the same ones each time."""
    chance = uuid.uuid4()
    kept = Image.objects.filter(deleted_at=None).exclude(file=but).order_by("pk")
    names = list(kept.filter(pk__gte=chance).values_list("file", flat=True)[:_OTHERS])
    before = kept.filter(pk__lt=chance).values_list("file", flat=True)
    return names + list(before[: _OTHERS - len(names)])


# --- Is it back? ------------------------------------------------------------------


def _ask(word: str, question: Callable[[], None]) -> None:
    """Raises unless `question` ends well in time. One that hangs is not asked twice."""
    before = _asking.get(word)
    if before is not None and before.is_alive():
        raise TimeoutError("The storage still hangs.")

    def asked() -> None:
        _asking[word] = threading.current_thread()
        question()

    within(PROBE_SECONDS, asked)


def _can_be_read() -> None:
    """Of some originals at least one: that its name is there says little of its bytes."""
    reason: Exception | None = None
    for name in _some():
        try:
            with default_storage.open(name) as file:
                file.read(1)
            return
        except Exception as error:  # whatever kind of storage it is
            reason = error
    if reason is not None:
        raise reason


def _can_be_written() -> None:
    """As much as a picture's renditions may take: a disk is full long before no byte fits."""
    content = ContentFile(os.urandom(_ROOM))
    name = default_storage.save(f"incoming/{uuid.uuid4().hex}", content)
    try:
        _read(name)
    finally:
        default_storage.delete(name)


breakers.register(STORAGE, lambda: _ask(STORAGE, _can_be_read))
breakers.register(WRITING, lambda: _ask(WRITING, _can_be_written))
