"""The exception of the launcher: a sentence for the user at the terminal."""

from __future__ import annotations


class LaunchError(Exception):
    """A problem that the user can fix; printed without a traceback."""
