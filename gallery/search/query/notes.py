"""What the searcher should know beside the results."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.errors import Sentence


@dataclass(frozen=True)
class Note:
    """Something that the searcher should know: `code` for programs, a sentence for people."""

    code: str
    message: Sentence
