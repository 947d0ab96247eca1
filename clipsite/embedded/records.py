"""Records of started processes for the next launcher.

The kernel's signal asks every child of a killed launcher to stop. These records let the next
launcher find processes that are still stopping or ignore the signal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from clipsite.embedded.errors import LaunchError
from clipsite.embedded.processes import Identity, Program, wait_until, write_atomically

_SUFFIX = ".pid.json"


@dataclass(frozen=True)
class Record:
    """One started process, and how to stop it."""

    name: str
    identity: Identity
    stop_signal: int
    kill_signal: int
    patience: float

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record in `path`; None for a file that a crash has truncated."""
        try:
            fields = json.loads(path.read_text())
            return cls(**(fields | {"identity": Identity(**fields["identity"])}))
        except (ValueError, KeyError, TypeError):
            return None

    def send(self, sig: int) -> None:
        try:
            os.kill(self.identity.pid, sig)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise LaunchError(
                f"Process {self.identity.pid} ({self.name}) of an earlier start belongs to another "
                "user. Stop it first, or start Clipsite as that user."
            ) from error

    def is_gone(self) -> bool:
        return not self.identity.is_running()


def write(folder: Path, slug: str, process: subprocess.Popen[bytes], program: Program) -> None:
    """Record a started child, unless it has already died again."""
    identity = Identity.from_pid(process.pid)
    if identity is None:
        forget(folder, slug)
        return
    record = Record(
        program.name,
        identity,
        int(program.stop_signal),
        int(program.kill_signal),
        program.patience,
    )
    write_atomically(folder / (slug + _SUFFIX), json.dumps(asdict(record)))


def forget(folder: Path, slug: str) -> None:
    (folder / (slug + _SUFFIX)).unlink(missing_ok=True)


def stop_leftovers(folder: Path) -> list[str]:
    """Stop the processes that an earlier launcher left running. Return their names.

    This first asks all of them to stop and then waits, so that they stop in parallel.
    """
    paths = sorted(folder.glob("*" + _SUFFIX))
    records = [record for path in paths if (record := Record.read(path))]
    running = [record for record in records if not record.is_gone()]
    for record in running:
        record.send(record.stop_signal)
    for record in running:
        _insist(record)
    for path in paths:
        path.unlink()
    return [record.name for record in running]


def _insist(record: Record) -> None:
    for sig, patience in (
        (record.kill_signal, record.patience),
        (int(signal.SIGKILL), 10.0),
    ):
        if wait_until(record.is_gone, patience):
            return
        record.send(sig)
    if not wait_until(record.is_gone, 10.0):
        raise LaunchError(
            f"Process {record.identity.pid} ({record.name}) of an earlier start does not stop. "
            "Stop it, or restart the machine, and start Clipsite again."
        )
