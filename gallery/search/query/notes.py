"""Notes beside the results."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.errors import Sentence


@dataclass(frozen=True)
class Note:
    """A remark to the searcher: a `code` for programs and a sentence for people. `as_typed` is the
    line that searches for the words as they stand, if they were read in another way."""

    code: str
    message: Sentence
    as_typed: str = ""
