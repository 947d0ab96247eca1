"""The account that runs PostgreSQL, and the folders that it can reach.

PostgreSQL refuses to run as root. A launcher started by root runs it as `nobody`, an account
that every Linux has. This creates no account and changes no permissions for it.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from clipsite.embedded.errors import LaunchError


@dataclass(frozen=True)
class Account:
    """A user of the operating system as whom a process runs."""

    name: str
    uid: int
    gid: int


def database_account() -> Account | None:
    """The account for PostgreSQL; None if it runs as the current user. Raises LaunchError."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise LaunchError(
            "PostgreSQL cannot run as root and this machine has no account `nobody`. "
            "Start Clipsite as an ordinary user."
        ) from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def may_enter(folder: Path, uid: int, gid: int) -> bool:
    """Whether the account can pass through `folder` and every folder above it."""
    resolved = folder.resolve()
    return all(_allows(part, uid, gid, stat.S_IXOTH) for part in (resolved, *resolved.parents))


def may_read(path: Path, uid: int, gid: int, *, execute: bool = False) -> bool:
    """Whether the account can reach `path` and read it (and run it)."""
    wanted = stat.S_IROTH | (stat.S_IXOTH if execute or path.is_dir() else 0)
    return may_enter(path.resolve().parent, uid, gid) and _allows(path, uid, gid, wanted)


def _allows(path: Path, uid: int, gid: int, wanted: int) -> bool:
    """Whether the mode bits that apply to the account include `wanted` (in "other" position)."""
    if uid == 0:
        return True
    try:
        status = path.stat()
    except PermissionError:
        return False
    if status.st_uid == uid:
        granted = status.st_mode >> 6
    elif status.st_gid == gid:
        granted = status.st_mode >> 3
    else:
        granted = status.st_mode
    return granted & wanted == wanted
