"""Runs jobs on the pixels of a file, within limits of memory and time.

Jobs that are small by the file's header run in this process. Large ones run in a separate
process, whose limits the system enforces whatever a file makes the decoder do. That process
knows neither settings nor secrets:

    python -m gallery.pixels.isolation MODULE FUNCTION ARGUMENTS <file >results
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from gallery.errors import Refusal
from gallery.pixels import places
from gallery.pixels.header import Cost

logger = logging.getLogger(__name__)

# A job reads a file and returns bytes; its arguments are plain JSON.
Job = Callable[..., Sequence[bytes]]

MAX_BYTES = 1024**3
# In pixels times scans: more than SMALL_WORK may take seconds and never runs in this process;
# more than MAX_WORK would take minutes and is refused.
SMALL_WORK = 400_000_000
MAX_WORK = 20_000_000_000

_ROOT = Path(__file__).resolve().parents[2]
# Limits of processor time, and of elapsed time in web processes and in workers. Web processes
# have `places.patience_seconds`: users do not wait longer for an answer.
_CPU_SECONDS = 60
_WEB_SECONDS = 9.0
_WORKER_SECONDS = 300.0

# Exit statuses. Python exits with 1 if the process itself fails, whatever the picture.
_NOT_BEGUN, _FAILED, _NO_MEMORY = 1, 3, 4
# The system lacks disk space, memory, processes or open files, whatever the picture.
_NO_ROOM = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS),
    *(errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE),
}
_LENGTH = 8


class Undecodable(Exception):
    """The bytes can be read, but no picture can be decoded from them."""


def run(job: Job, file: IO[bytes], cost: Cost, /, **arguments: Any) -> list[bytes]:
    """Return the result of `job(file, **arguments)`, whose cost is `cost`.

    Raises Undecodable, Refusal (see `too_costly`), `places.Busy`, and the system's OSError if
    the file cannot be read.
    """
    require_affordable(cost)
    try:
        if cost.bytes <= places.SMALL_BYTES and cost.work <= SMALL_WORK and not cost.apart:
            with places.small(cost.bytes):
                return _here(job, file, arguments)
        with places.large():
            return _apart(job, file, arguments)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise places.busy() from error
        raise


def require_affordable(cost: Cost, most: int = MAX_BYTES) -> None:
    """Raise Refusal (too_costly) above `most` bytes or MAX_WORK."""
    if cost.bytes > most or cost.work > MAX_WORK:
        raise too_costly()


def too_costly() -> Refusal:
    return Refusal(
        "too_costly",
        _(
            "This picture takes too much memory or time to open. Save it as an ordinary "
            "JPEG, or smaller, and upload that."
        ),
        "file",
    )


def _here(job: Job, file: IO[bytes], arguments: dict[str, Any]) -> list[bytes]:
    file.seek(0)
    try:
        return list(job(file, **arguments))
    except MemoryError as error:
        raise places.busy() from error
    except Exception as error:
        raise undecodable_unless_io(error) from error


def undecodable_unless_io(error: Exception) -> Exception:
    """Return Undecodable for an error of a decoder: on hostile bytes, decoders raise anything.
    Errors of the system itself, which have a number, are returned unchanged."""
    is_io_error = isinstance(error, OSError) and error.errno is not None
    if is_io_error or isinstance(error, io.UnsupportedOperation):
        return error
    return Undecodable(f"{type(error).__name__}: {error}")


# --- In a process of its own ------------------------------------------------------


def _apart(job: Job, file: IO[bytes], arguments: dict[str, Any]) -> list[bytes]:
    command = [
        *(sys.executable, "-m", "gallery.pixels.isolation"),
        *(job.__module__, job.__name__, json.dumps(arguments)),
    ]
    seconds = _WORKER_SECONDS if places.patience_seconds is None else _WEB_SECONDS
    with _on_disk(file) as source:
        try:
            # `run` kills the process at the timeout and waits for its end.
            ended = subprocess.run(
                command,
                cwd=_ROOT,
                env=_environment(),
                stdin=source,
                capture_output=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise places.too_slow() from error
    code = ended.returncode
    if code == 0:
        return _split(ended.stdout)
    if code in (_NO_MEMORY, -signal.SIGXCPU):
        raise too_costly()
    if code == _NOT_BEGUN:
        logger.error("Decoding cannot begin: %s", _last_line(ended.stderr))
        raise places.busy()
    if code in (-signal.SIGKILL, -signal.SIGTERM):
        raise places.too_slow()  # killed by the system, which is short of memory
    raise Undecodable(_last_line(ended.stderr) or f"The decoder was ended by signal {-code}.")


@contextlib.contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Copy the content to a temporary file, positioned at its beginning."""
    with tempfile.TemporaryFile() as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        copy.flush()
        copy.seek(0)
        yield copy


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    # One thread and one heap: memory reserved for more would count for the limit.
    return {**kept, "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}


def _split(results: bytes) -> list[bytes]:
    parts, start = [], 0
    while start < len(results):
        begin = start + _LENGTH
        start = begin + int.from_bytes(results[start:begin], "big")
        parts.append(results[begin:start])
    return parts


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def main(module: str, function: str, arguments: str) -> int:
    job: Job = getattr(importlib.import_module(module), function)
    # Output of libraries goes to stderr, not into the results.
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit()
    try:
        results = job(sys.stdin.buffer, **json.loads(arguments))
    except MemoryError:
        return _NO_MEMORY
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}".replace("\n", " "))
        return _FAILED
    with target:
        for result in results:
            target.write(len(result).to_bytes(_LENGTH, "big"))
            target.write(result)
    return 0


def _limit() -> None:
    """Limit memory to MAX_BYTES and SMALL_BYTES more than now, and time to _CPU_SECONDS."""
    status = Path("/proc/self/status").read_text()
    (held,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
    most = held * 1024 + MAX_BYTES + places.SMALL_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
