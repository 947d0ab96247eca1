"""`exec`: runs one command with PostgreSQL and Valkey."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from clipsite.embedded.console import say_aside
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.folder import DataFolder, is_in_use, only_launcher, open_folder
from clipsite.embedded.processes import die_with_parent
from clipsite.embedded.services import start_services
from clipsite.embedded.supervisor import Supervisor


def execute(command: Sequence[str], data_dir: Path | None) -> int:
    """Run `command` with DATABASE_URL, REDIS_URL, SECRET_KEY and DATA_DIR. Return its exit code.

    If a demo runs on the same folder, the command uses its services. Without `data_dir`
    everything is in a temporary folder that is deleted afterwards.
    """
    if data_dir is None:
        with _temporary_folder() as folder:
            return _with_own_services(command, folder, durable=False)
    folder = open_folder(data_dir)
    if is_in_use(folder) and folder.environment.exists():
        return subprocess.call(command, env=dict(os.environ) | read_environment(folder))
    return _with_own_services(command, folder, durable=True)


def _with_own_services(command: Sequence[str], folder: DataFolder, *, durable: bool) -> int:
    with only_launcher(folder), Supervisor(folder.run, say_aside) as supervisor:
        services = start_services(folder, supervisor, durable=durable)
        process = _in_foreground(command, services.environment())
        code = supervisor.wait(process)
    return code if code >= 0 else 128 - code  # as a shell reports a signal


def _in_foreground(command: Sequence[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the command in our process group, at the terminal.

    Ctrl-C reaches the command directly, which decides what to do. SIGTERM and SIGHUP reach only
    us, and we pass them on. Either way we stop when the command has stopped.
    """
    try:
        process = subprocess.Popen(command, env=env, preexec_fn=die_with_parent(signal.SIGTERM))
    except OSError as error:
        raise LaunchError(f"The command {command[0]} cannot be run: {error.strerror}.") from error

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, pass_on)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # silenced by nohup
        signal.signal(signal.SIGHUP, pass_on)
    return process


@contextmanager
def _temporary_folder() -> Iterator[DataFolder]:
    path = Path(tempfile.mkdtemp(prefix="clipsite-"))
    if os.geteuid() == 0:
        path.chmod(0o711)  # PostgreSQL's account passes through to its own folder
    try:
        yield open_folder(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def read_environment(folder: DataFolder) -> dict[str, str]:
    """Read the variables that a running launcher has written for other commands."""
    lines = folder.environment.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line)
