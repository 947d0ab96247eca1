"""Messages of the launcher to the user at the terminal."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO


def say(message: str, stream: TextIO | None = None) -> None:
    """Print one line and flush it.

    The terminal may be closed and a pipe may have lost its reader: the programs go on anyway.
    """
    with suppress(OSError):
        print(message, file=stream or sys.stdout, flush=True)


def say_aside(message: str) -> None:
    """Print one line on standard error, apart from the output of a command."""
    say(message, sys.stderr)
