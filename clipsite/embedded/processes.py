"""Starts, recognises and stops processes.

The kernel signals every child when its launcher dies for whatever reason (PR_SET_PDEATHSIG).
Process ids are reused, so an id alone proves nothing: a process is identified by its id, its
start time in ticks and the boot id.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from clipsite.embedded.privileges import Account

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Program:
    """A program to run, and how to stop it."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path | None = None
    cwd: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # Sent if the program does not stop in time after `stop_signal`.
    kill_signal: signal.Signals = signal.SIGKILL
    patience: float = 15.0
    # Others depend on it, so it is stopped after them.
    is_service: bool = False
    pass_fds: tuple[int, ...] = ()
    # Runs before each start, to clean up after a killed predecessor.
    before_start: Callable[[], None] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Identity:
    """Identifies a process, even if a later one has the same id."""

    pid: int
    start_ticks: int
    boot: str

    @classmethod
    def from_pid(cls, pid: int) -> Identity | None:
        """The identity of the running process `pid`; None if it is gone or a zombie."""
        state = _state(pid)
        return None if state is None else cls(pid, state, _boot())

    def is_running(self) -> bool:
        return Identity.from_pid(self.pid) == self


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start `program`. The kernel signals it if this launcher dies."""
    if program.before_start is not None:
        program.before_start()
    log: IO[bytes] | None = program.log.open("ab") if program.log else None
    account = program.account
    try:
        return subprocess.Popen(
            list(program.argv),
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            pass_fds=program.pass_fds,
            start_new_session=True,  # Ctrl-C reaches only the launcher, which stops them in order
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            # Popen changes the user before it calls this. A later change of the user would
            # clear the signal.
            preexec_fn=die_with_parent(program.stop_signal),
        )
    finally:
        if log:
            log.close()


def die_with_parent(sig: signal.Signals) -> Callable[[], None]:
    """Return a preexec_fn: the kernel sends `sig` to the child when the calling process dies."""
    parent = os.getpid()

    def in_child() -> None:
        if _LIBC.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent:  # the parent died before the request reached the kernel
            os._exit(1)

    return in_child


def ask(process: subprocess.Popen[bytes], program: Program) -> None:
    """Ask a child to stop. This is safe if it has already gone."""
    process.send_signal(program.stop_signal)


def insist(process: subprocess.Popen[bytes], program: Program) -> None:
    """Wait for a child that was asked to stop; kill it when its patience is over."""
    for sig, patience in (
        (program.kill_signal, program.patience),
        (signal.SIGKILL, 10.0),
    ):
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            process.send_signal(sig)
    process.wait()


# --- Small tools ---------------------------------------------------------------


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Poll `condition` for at most `seconds`. Return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a small file atomically: a crash leaves either the old or the new content."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty if it is gone, a zombie or the kernel's own."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return raw.rstrip(b"\0").decode(errors="replace").split("\0") if raw else []


def _state(pid: int) -> int | None:
    """The start time of `pid` in ticks since boot; None if it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name is in brackets, and may itself contain spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
