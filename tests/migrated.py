"""A dump of the migrated database, kept from one test run to the next.

Migrating takes longer than most test files. The name of the dump contains a hash of all migrations:
after a change of one, all of them run again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.db import connection

from clipsite.embedded.binaries import POSTGRES_MAJOR, postgres_install


class Migrated:
    def __init__(self, folder: Path) -> None:
        self.dump = folder / f"{_fingerprint()}.sql"

    def restore(self, database: str) -> None:
        """Fill an empty database. Without a dump it stays empty."""
        if self.dump.exists():
            _run("psql", database, "--set=ON_ERROR_STOP=1", f"--file={self.dump}")

    def keep(self, database: str) -> None:
        if self.dump.exists():
            return
        for older in self.dump.parent.glob("*.sql"):
            older.unlink(missing_ok=True)
        draft = self.dump.with_suffix(f".{os.getpid()}")
        _run("pg_dump", database, "--no-owner", f"--file={draft}")
        draft.replace(self.dump)


def _fingerprint() -> str:
    digest = hashlib.sha256(f"{django.VERSION} {POSTGRES_MAJOR}".encode())
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(f"{app.label} {path.name} ".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _run(program: str, database: str, *arguments: str) -> None:
    parts: dict[str, Any] = connection.settings_dict
    place = [f"--host={parts['HOST']}", f"--port={parts['PORT']}", f"--username={parts['USER']}"]
    subprocess.run(
        [postgres_install().program(program), *place, f"--dbname={database}", *arguments],
        env={**os.environ, "PGPASSWORD": parts["PASSWORD"]},
        check=True,
        stdout=subprocess.DEVNULL,
    )
