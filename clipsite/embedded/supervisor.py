"""Keeps a set of programs running until they should stop."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from clipsite.embedded import records
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.processes import Program, ask, insist, spawn

_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0
_TICK = 0.1


@dataclass
class _Child:
    program: Program
    slug: str
    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0
    # The monotonic time of the next start while the program is down.
    due: float | None = None


class Supervisor:
    """Starts programs, restarts them when they die, and stops them in order.

    All of this must run in one thread: it forks the children, and the kernel treats the death
    of the forking thread as the death of the parent.
    """

    def __init__(self, run_folder: Path, say: Callable[[str], None]) -> None:
        self._run_folder = run_folder
        self._say = say
        self._children: list[_Child] = []

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()

    def start(self, program: Program, slug: str) -> None:
        """Start `program` and supervise it. `slug` names its record."""
        process = spawn(program)
        records.write(self._run_folder, slug, process, program)
        self._children.append(_Child(program, slug, process, time.monotonic()))

    def wait_for(
        self,
        condition: Callable[[], bool],
        seconds: float,
        *,
        fragile: str | None = None,
        pause: float = _TICK,
    ) -> bool:
        """Supervise the children until `condition` holds. Return False after `seconds`.

        `fragile` is the slug of a child in its first start. If this child dies, it is not
        restarted: that raises LaunchError with the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if fragile is not None:
                self._expect_running(fragile)
            self.check_children()
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
        return True

    def run(self, program: Program) -> int:
        """Run `program` to its end and supervise the others. Return its exit code."""
        process = spawn(program)
        try:
            return self.wait(process)
        finally:
            ask(process, program)
            insist(process, program)

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Supervise the children until `process`, started elsewhere, ends. Return its exit code."""
        while (code := process.poll()) is None:
            self.check_children()
            time.sleep(_TICK)
        return code

    def serve(self) -> NoReturn:
        """Supervise the children until an exception (Interrupted)."""
        while True:
            self.check_children()
            time.sleep(_TICK)

    def check_children(self) -> None:
        """Notice dead children, and restart those whose pause is over."""
        for child in self._children:
            if child.due is None:
                self._notice_death(child)
            elif time.monotonic() >= child.due:
                self._start_again(child)

    def stop_all(self) -> None:
        """Stop everything: first, in parallel, all programs that depend on the services."""
        for is_service in (False, True):
            group = [c for c in self._children if c.program.is_service is is_service]
            for child in group:
                ask(child.process, child.program)
            for child in group:
                insist(child.process, child.program)
                records.forget(self._run_folder, child.slug)
        self._children.clear()

    def _notice_death(self, child: _Child) -> None:
        code = child.process.poll()
        if code is None:
            return
        if time.monotonic() - child.started > _STEADY_SECONDS:
            child.failures = 0
        pause = min(0.5 * 2**child.failures, _LONGEST_PAUSE)
        child.failures += 1
        child.due = time.monotonic() + pause
        log = f", see {child.program.log}" if child.program.log else ""
        self._say(
            f"{child.program.name} stopped ({_reason(code)}{log}). Starting it again"
            + (f" in {pause:.0f} s." if pause >= 1 else ".")
        )

    def _start_again(self, child: _Child) -> None:
        child.process = spawn(child.program)
        child.started, child.due = time.monotonic(), None
        records.write(self._run_folder, child.slug, child.process, child.program)

    def _expect_running(self, slug: str) -> None:
        child = next(child for child in self._children if child.slug == slug)
        code = child.process.poll()
        if code is not None:
            raise LaunchError(
                f"{child.program.name} did not start ({_reason(code)}). "
                + end_of(child.program.log)
            )


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def end_of(log: Path | None, lines: int = 8) -> str:
    """The last lines of a log, with a heading and indented, for an error message."""
    if log is None:
        return ""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"The end of {log}:", *(f"    {line}" for line in last)])
