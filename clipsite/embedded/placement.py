"""Chooses places for PostgreSQL's cluster and program files that its account can reach.

Normally the cluster is DATA_DIR/postgres and the programs run from the virtual environment. A
launcher started by root runs PostgreSQL as another account, which may be unable to enter one or
both (a checkout under /root). Then the cluster is under /var/lib/clipsite, with a link
DATA_DIR/postgres to it, and the programs are copied beside the cluster. This never changes the
permissions of other people's folders.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

from clipsite.embedded.binaries import PostgresInstall
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.folder import DataFolder
from clipsite.embedded.privileges import Account, may_enter, may_read

STATE = Path("/var/lib/clipsite")


def place_cluster(folder: DataFolder, account: Account | None, state: Path = STATE) -> Path:
    """Return the path of the cluster (which may not exist yet), without symbolic links."""
    link = folder.postgres
    if link.is_symlink():
        return _follow(link)
    if account is None or may_enter(folder.root, account.uid, account.gid):
        return link
    if link.exists():
        raise LaunchError(
            f"PostgreSQL runs as {account.name}, which can no longer enter {folder.root}. Allow "
            "that (chmod o+x on the folder and those above it), or move the data folder."
        )
    home = state / hashlib.sha256(os.fsencode(folder.root)).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    for path in (state, home):
        path.chmod(0o711)
    cluster = home / "cluster"
    if cluster.exists():
        # It belongs to a deleted data folder of the same name. We must not delete it.
        cluster.rename(home / f"cluster-left-{time.strftime('%Y%m%d-%H%M%S')}")
    _owner_file(cluster).write_text(str(folder.root))
    link.symlink_to(cluster)
    return cluster


def _follow(link: Path) -> Path:
    """The cluster to which a data folder links, if it belongs to that folder. Raises
    LaunchError."""
    cluster = link.resolve()
    owner_file = _owner_file(cluster)
    if not owner_file.exists():
        raise LaunchError(
            f"The database files of {link.parent} belong in {cluster}, and they are gone. Restore "
            f"them from a backup, or delete {link} to begin with an empty database."
        )
    owner = Path(owner_file.read_text())
    if owner != link.parent and (owner / link.name).resolve() == cluster:
        raise LaunchError(
            f"The data folder {link.parent} is a copy of {owner} and they share the database files "
            f'in {cluster}. See "Copying a data folder" in docs/operations.md.'
        )
    owner_file.write_text(str(link.parent))  # the data folder was moved
    return cluster


def _owner_file(cluster: Path) -> Path:
    """The file beside a cluster outside its data folder that holds the path of that folder."""
    return cluster.with_name("data-folder")


def place_programs(
    install: PostgresInstall, beside: Path, account: Account | None
) -> PostgresInstall:
    """Return `install` itself, or a copy of it in `beside` if the account cannot use it."""
    if account is None or _is_usable(install, account):
        return install
    home = beside / "programs"
    copy = PostgresInstall(home / install.root.parent.name / install.root.name)
    if _is_usable(copy, account) and _same_build(copy, install):
        return copy
    draft = beside / "programs.new"
    for stale in (draft, home):
        shutil.rmtree(stale, ignore_errors=True)
    # The two folders keep their relative paths: bin/ finds its libraries through $ORIGIN.
    shutil.copytree(
        install.root,
        draft / install.root.parent.name / install.root.name,
        ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"),
        symlinks=True,
    )
    shutil.copytree(install.libraries, draft / install.libraries.name, symlinks=True)
    _open_to_all(draft)
    draft.rename(home)
    return copy


def _is_usable(install: PostgresInstall, account: Account) -> bool:
    samples = [
        install.root / "share" / "postgresql" / "postgres.bki",
        install.root / "lib" / "postgresql" / "vector.so",
        *install.libraries.glob("libpq-*"),
    ]
    programs = [install.program(name) for name in ("postgres", "initdb")]
    return all(
        path.exists() and may_read(path, account.uid, account.gid, execute=path in programs)
        for path in (*programs, *samples)
    )


def _same_build(copy: PostgresInstall, install: PostgresInstall) -> bool:
    """Whether both come from the same version of the wheel: their files have the same sizes."""
    return all(
        (copy.root / part).stat().st_size == (install.root / part).stat().st_size
        for part in ("bin/postgres", "lib/postgresql/vector.so")
    )


def _open_to_all(folder: Path) -> None:
    """Make all files readable for everybody, whatever umask the wheel was installed with."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
