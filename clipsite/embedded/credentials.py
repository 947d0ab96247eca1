"""The secrets of one data folder: created once, readable only by their owner."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from clipsite.embedded.errors import LaunchError
from clipsite.embedded.processes import write_atomically


@dataclass(frozen=True)
class Credentials:
    """Django's key and the passwords of the two services. All URL-safe."""

    secret_key: str
    database_password: str
    valkey_password: str


def load_or_create(path: Path) -> Credentials:
    """Read the secrets in `path`, or create them on the first start."""
    if not path.exists():
        made = Credentials(*(secrets.token_urlsafe(48) for _ in range(3)))
        write_atomically(path, json.dumps(asdict(made), indent=2) + "\n")
        return made
    try:
        return Credentials(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise LaunchError(
            f"The file {path} is damaged. Restore it from a backup: it holds the password of the "
            "database."
        ) from error
