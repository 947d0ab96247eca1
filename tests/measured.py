"""The costs of the functions that read pictures, each measured in its own process.

A meter is a process that has imported everything. It forks one process for each file, so each
starts from the same state. Neither a crash nor the caches of a library reach the next file.
"""

from __future__ import annotations

import atexit
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
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 1_000_000

# The limits for reading a picture, above what the process had before.
BYTES_A_PIXEL = 8
MOST_BYTES = 1_000 * MEGABYTE
# The memory that even one pixel may need: a decoder's tables and threads, and the file itself.
BASE_BYTES = 72 * MEGABYTE
MOST_SECONDS = 15.0
# A process that exceeds these limits is ended, to protect the machine: seconds of processor time,
# and seconds by the clock, as other programs may use the machine.
_END_SECONDS = 40
_END_BY_CLOCK = 300
_END_BYTES = 6_000 * MEGABYTE


@dataclass(frozen=True)
class Cost:
    """`outcome` is "ok", the code of a refusal, or the name of an exception. `fault` explains a
    forbidden outcome. `peak` is in bytes. `pixels` are those of the header."""

    function: str
    outcome: str
    fault: str = ""
    peak: int = 0
    seconds: float = 0.0
    pixels: int = 0

    @property
    def faults(self) -> list[str]:
        """Return sentences about what is wrong; empty if all is well."""
        most = min(MOST_BYTES, BASE_BYTES + BYTES_A_PIXEL * self.pixels)
        found = [self.fault] if self.fault else []
        if self.peak > most:
            found.append(f"{self.peak / MEGABYTE:.0f} MB, at most {most / MEGABYTE:.0f}")
        if self.seconds > MOST_SECONDS:
            found.append(f"{self.seconds:.1f} s, at most {MOST_SECONDS:.0f}")
        return [f"{self.function}: {fault}" for fault in found]


class Meter:
    """Calls `costs` for one file after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.measured"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "clipsite.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_END_BY_CLOCK)

    def costs(self, path: Path, functions: Sequence[str] = ()) -> list[Cost]:
        """Return the costs of each function with the file at `path`, or those of the named
        functions."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"path": str(path), "functions": list(functions)}
        print(json.dumps(question), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the meter has ended"
        return [Cost(**cost) for cost in json.loads(answer)]


# --- In the process of the meter --------------------------------------------------


def _serve() -> None:
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    functions = _functions()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # printed output must not reach the answer
    for line in sys.stdin:
        question = json.loads(line)
        names = question["functions"] or list(functions)
        chosen = {name: functions[name] for name in names}
        print(json.dumps(_costs(Path(question["path"]), chosen)), file=answers, flush=True)


def _functions() -> dict[str, Callable[[IO[bytes]], object]]:
    """Return the ways that a file from outside is read. The first one decides whether it is
    accepted; the others must then work with it."""
    from gallery.library import rendition_pixels
    from gallery.library.facts import read_facts
    from gallery.library.query_picture import (
        packed_part,
        read_query_picture,
        read_small_picture,
        read_square,
    )
    from gallery.library.renditions import WIDTHS
    from gallery.library.validation import inspect_picture
    from gallery.models import User
    from gallery.pixels import jobs, places
    from gallery.pixels.recipe import ORIGINAL, Recipe

    # Other programs may use this machine. Their pictures take no place of ours.
    places.locks = Path(tempfile.mkdtemp(prefix="clipsite-meter-"))
    atexit.register(shutil.rmtree, places.locks, ignore_errors=True)
    viewer = User()

    edited = Recipe(1, (0.0, 0.0, 1.0, 0.9))

    def draw(file: IO[bytes], widths: Sequence[int | None], recipe: Recipe = ORIGINAL) -> None:
        facts = inspect_picture(file)
        size = recipe.size_of((facts.width, facts.height))
        rendition_pixels.draw(file, size, widths, recipe)

    def draw_jpeg(file: IO[bytes]) -> None:
        inspect_picture(file)
        rendition_pixels.draw_jpeg(file, edited)

    return {
        "inspect_picture": inspect_picture,
        "read_facts": read_facts,
        "pixels_for_encoder": lambda file: jobs.pixels_for_encoder(file, jobs.header_of(file)),
        "thumbnails": lambda file: draw(file, WIDTHS[::-1]),
        "clean copy": lambda file: draw(file, [None]),
        "edited copy": lambda file: draw(file, [None], edited),
        "edited jpeg": draw_jpeg,
        "read_query_picture": lambda file: read_query_picture(file, "picture", viewer),
        "read_small_picture": lambda file: read_small_picture(file, "picture", viewer),
        "read_square": lambda file: read_square(file, "picture", viewer, 256),
        "packed_part": lambda file: packed_part(file, (0.25, 0.25, 0.1, 0.1)),
    }


def _costs(path: Path, functions: dict[str, Callable[[IO[bytes]], object]]) -> list[dict[str, Any]]:
    data = path.read_bytes()
    pixels = _pixels(data)
    costs = [
        {"function": name, "pixels": pixels, **_in_fork(data, function)}
        for name, function in functions.items()
    ]
    for cost in costs[1:]:
        # These get only accepted files. They may raise what decoders raise.
        if costs[0]["outcome"] != "ok" and cost["function"] in _OF_ACCEPTED:
            ended = cost["outcome"].startswith("SIG") or cost["outcome"] == "MemoryError"
            cost["fault"] = cost["fault"] if ended else ""
    return costs


_OF_ACCEPTED = {"pixels_for_encoder", "packed_part"}


def _in_fork(data: bytes, function: Callable[[IO[bytes]], object]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff's messages about each file
        with os.fdopen(writing, "w") as answer:
            json.dump(_measure(data, function), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        late = name in ("SIGALRM", "SIGXCPU")
        fault = f"more than {_END_SECONDS} s" if late else f"ended by {name}"
        return {"outcome": name, "fault": fault}
    return dict(json.loads(answer))


def _measure(data: bytes, function: Callable[[IO[bytes]], object]) -> dict[str, Any]:
    """Measure in a separate process, including its child processes."""
    most = memory("VmSize") + _END_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (_END_SECONDS, _END_SECONDS + 1))
    signal.alarm(_END_BY_CLOCK)
    before = memory("VmRSS")
    began = time.monotonic()
    outcome, fault = _outcome(function, io.BytesIO(data))
    wall = time.monotonic() - began
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    used = sum(usage.ru_utime + usage.ru_stime for usage in (own, others))
    return {
        "outcome": outcome,
        "fault": fault,
        "peak": max(0, max(memory("VmHWM"), others.ru_maxrss * 1024) - before),
        # The smaller one counts: other programs may use the machine, and a decoder several threads.
        "seconds": round(min(wall, used), 3),
    }


def _outcome(function: Callable[[IO[bytes]], object], file: IO[bytes]) -> tuple[str, str]:
    """Return the outcome, and why it is forbidden."""
    from gallery.errors import Refusal, Unavailable
    from gallery.pixels.isolation import Undecodable

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            function(file)
            outcome, fault = "ok", ""
        except (Refusal, Unavailable) as error:
            outcome, fault = error.code, ""
        except Undecodable:
            outcome, fault = "Undecodable", ""
        except Exception as error:
            outcome = type(error).__name__
            damaged = isinstance(error, OSError) and error.errno is None
            fault = "" if damaged else f"{outcome}: {str(error)[:200]}"
    # Pillow reports damage with plain warnings. Any other kind is our fault.
    for warning in heard:
        if warning.category is not UserWarning and "Bomb" not in warning.category.__name__:
            fault = fault or f"{warning.category.__name__}: {warning.message}"
    return outcome, fault


def _pixels(data: bytes) -> int:
    """Return the pixels that the header states; 0 without a picture."""
    from gallery.pixels.opening import open_pixels

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            width, height = open_pixels(io.BytesIO(data)).size
        except Exception:  # it is no picture
            return 0
    return width * height


def memory(name: str, process: int | str = "self") -> int:
    """Return the system's figure for a process in bytes: VmRSS (now) or VmHWM (maximum)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


if __name__ == "__main__":
    _serve()
