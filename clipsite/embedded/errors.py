"""The one exception of the launcher: a sentence for the person at the terminal."""

from __future__ import annotations


class LaunchError(Exception):
    """Something that the user has to know and can act on; printed without a traceback."""
