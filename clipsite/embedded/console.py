"""What the launcher says to the person at the terminal."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO


def say(message: str, stream: TextIO | None = None) -> None:
    """Print one line at once.

    The terminal may be closed and a pipe may have lost its reader: what runs goes on.
    """
    with suppress(OSError):
        print(message, file=stream or sys.stdout, flush=True)


def say_aside(message: str) -> None:
    """The same beside the output of a command, on standard error."""
    say(message, sys.stderr)
