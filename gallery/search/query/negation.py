"""Negations in plain words: "a beach without people", 没有人的海滩.

Models hardly know negation: for them "no cat" means much the same as "cat". What a negation names
is therefore better a term to be unlike (gallery.search.query.wording). That holds for plain ones
only: a thing of a few words right behind the word that negates. Everything else stays text: names
("No Country for Old Men"), signs ("no parking"), verbs ("do not disturb"), idioms (没有尽头的路)
and negations of negations.
"""

from __future__ import annotations

from dataclasses import dataclass

# Between words that do not belong together, because another term stood between them.
BREAK = "\0"


@dataclass(frozen=True)
class Negation:
    """A negation: `text[start:end]`, with the words that join it to the others. `said` is the
    negation alone, `things` what it keeps away. Without `things` it is not plain."""

    start: int
    end: int
    said: str
    things: tuple[str, ...] = ()
