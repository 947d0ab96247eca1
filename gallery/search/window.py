"""Scrolling that neither repeats nor skips: the first page fixes an ordered window
of ids, later pages read on in it, and past its end it is widened."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import cast

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from gallery.encoders.base import Vectors
from gallery.errors import Expired
from gallery.search.planner import Kind

# A session of scrolling; each page starts it anew.
WINDOW_TTL_SECONDS = 3600


@dataclass
class Window:
    """One query of one viewer and what it has found so far."""

    viewer_id: int | None
    space_id: int
    vector: Vectors
    kind: Kind
    exclude_id: uuid.UUID | None = None
    exclude_sha256: str = ""
    # Whether near-duplicates are folded (gallery.search.folding).
    fold: bool = False
    ids: list[uuid.UUID] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    exact: bool = True
    complete: bool = False
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def append(self, ids: list[uuid.UUID], scores: list[float]) -> None:
        """Add what is not there yet, behind what is."""
        known = set(self.ids)
        for image_id, score in zip(ids, scores, strict=True):
            if image_id not in known:
                self.ids.append(image_id)
                self.scores.append(score)

    def cursor(self, offset: int) -> str:
        return f"{self.token}.{offset}"


def save(window: Window) -> None:
    cache.set(_key(window.token), window, WINDOW_TTL_SECONDS)


def load(cursor: str, viewer_id: int | None) -> tuple[Window, int]:
    """The window and the offset that `cursor` names.

    Raises Expired if it is unknown, too old or somebody else's.
    """
    token, _dot, offset = cursor.partition(".")
    window = cast("Window | None", cache.get(_key(token))) if token.isalnum() else None
    if window is None or window.viewer_id != viewer_id or not offset.isdecimal():
        raise Expired(
            "search_expired", _("These results are no longer kept. Search again."), "cursor"
        )
    return window, min(int(offset[:9]), len(window.ids))


def _key(token: str) -> str:
    return f"search-window:{token[:64]}"
