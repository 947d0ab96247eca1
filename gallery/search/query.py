"""What somebody looks for: terms to be like or unlike, and filters.

The same query has two written forms: JSON, as the API takes it (`from_json`), and one
line of text, as it stands in the search bar and in the address (gallery.search.syntax).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

MAX_TERMS = 12
MAX_TERM_CHARACTERS = 1000
# Weights lie in [-MAX_WEIGHT, MAX_WEIGHT]; 0 means nothing and is refused.
MAX_WEIGHT = 2.0


@dataclass(frozen=True)
class Crop:
    """A part of a picture as shares of its upright width and height, from its left
    and upper edge: all in [0, 1]."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Term:
    """One part of a query: just one of `text`, `image` (a stored picture) and `upload`
    (the id of a query picture that is kept for a while, see
    gallery.search.query_pictures). `weight` says how much it counts, negative: unlike."""

    text: str = ""
    image: UUID | None = None
    upload: str = ""
    weight: float = 1.0
    crop: Crop | None = None

    @property
    def is_text(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True)
class Query:
    """`filters` are named and checked as in gallery.search.filters.

    Without terms it is a list of what the filters leave, newest first.
    """

    terms: tuple[Term, ...] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.terms and not self.filters

    @property
    def positive_texts(self) -> list[str]:
        """What the words of titles, descriptions, tags and file names are compared with."""
        return [term.text for term in self.terms if term.is_text and term.weight > 0]
