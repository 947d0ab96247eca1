"""The sweep, at the moment that a test wants it."""

from gallery import sweep
from gallery.dispatch import on_commit


def ring_for_all() -> None:
    """Ring for all waiting work."""
    for task in sweep.waiting():
        on_commit(task)
