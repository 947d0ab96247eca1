"""The data folder: its owner, its paths, and the lock that admits one launcher at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clipsite.embedded.errors import LaunchError
from clipsite.embedded.memory import MIB
from clipsite.embedded.records import stop_leftovers

NEEDED_MIB = 300
_LOG_LIMIT = 10 * MIB


@dataclass(frozen=True)
class DataFolder:
    """Paths inside DATA_DIR. `root` is absolute and has no symbolic links."""

    root: Path

    @property
    def run(self) -> Path:
        """Lock and process records: worthless once everything has stopped."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def environment(self) -> Path:
        """The variables of a running launcher for `make manage`."""
        return self.root / "demo.env"

    def log(self, slug: str) -> Path:
        """The log of one program. A large log is first renamed to .1."""
        path = self.logs / f"{slug}.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path


def open_folder(path: Path) -> DataFolder:
    """Create or check the data folder.

    Raises LaunchError, with one sentence, if it belongs to another user, cannot be written or
    is on a full disk.
    """
    root = path.expanduser().resolve()
    try:
        _make(root)
        _check_owner(root)
        _check_space(root)
        for part in ("run", "logs", "valkey", "media", "mail"):
            (root / part).mkdir(mode=0o700, exist_ok=True)
        probe = root / "run" / "probe"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise LaunchError(
            f"The data folder {root} cannot be written by {_user(os.geteuid())} "
            f"({error.strerror}: {error.filename}). Choose another one with DATA_DIR=."
        ) from error
    return DataFolder(root)


def _make(root: Path) -> None:
    if root.exists():
        return
    root.mkdir(parents=True)
    # Nobody else may read it. If we run as root, PostgreSQL's account must be able to enter
    # its own folder inside.
    root.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _check_owner(root: Path) -> None:
    owner = next(
        (p.stat().st_uid for p in (root / "secrets.json", root / "run") if p.exists()), None
    )
    if owner is not None and owner != os.geteuid():
        raise LaunchError(
            f"The data folder {root} was made by {_user(owner)}, and you are "
            f"{_user(os.geteuid())}. Start Clipsite as {_user(owner)}, or choose another folder "
            "with DATA_DIR=."
        )


def _check_space(root: Path) -> None:
    free = shutil.disk_usage(root).free // MIB
    if free < NEEDED_MIB:
        raise LaunchError(
            f"The disk of the data folder {root} has {free} MiB left and Clipsite needs "
            f"{NEEDED_MIB}. Free some space, or choose another folder with DATA_DIR=."
        )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


@contextmanager
def only_launcher(folder: DataFolder) -> Iterator[Path]:
    """Hold the folder's lock, and stop programs that an earlier launcher has left running.

    Yields the path of the file for this launcher's address. The kernel frees the lock when the
    launcher dies, for whatever reason.
    """
    path = folder.run / "launcher.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, folder, path)
        folder.environment.unlink(missing_ok=True)
        stop_leftovers(folder.run)
        try:
            yield path
        finally:
            folder.environment.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: DataFolder, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LaunchError(_already_running(folder, path)) from error
    path.write_text("")


def is_in_use(folder: DataFolder) -> bool:
    """Whether a launcher is running on this folder."""
    path = folder.run / "launcher.lock"
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _already_running(folder: DataFolder, lock: Path) -> str:
    address = lock.read_text().strip()
    where = f" at {address}" if address.startswith("http") else ""
    return (
        f"Clipsite is already running{where} with the data folder {folder.root}. Stop it first, "
        "or choose another folder with DATA_DIR=."
    )
