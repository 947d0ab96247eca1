"""Notes beside the results."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.errors import Sentence


@dataclass(frozen=True)
class Note:
    """A remark to the searcher: a `code` for programs and a sentence for people."""

    code: str
    message: Sentence
