"""The meaning of the words that stand without quotes in a line: negations and operators.

    a beach without people    a beach -people
    cat OR dog                cat "dog"

Operators are words in capitals. In a text that is all in capitals they are words like others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gallery.search.query.chinese_negation import chinese
from gallery.search.query.english_negation import english
from gallery.search.query.negation import BREAK, Negation
from gallery.spelling import normalise_text

# More things to be unlike, and longer texts, are no plain wording.
_MOST = 4
_LONGEST = 300

# Not in "Portland, OR".
_OPERATOR = re.compile(r"(?<=[^\s,，]) +(AND|OR) +(?=\S)")
_EDGES = re.compile(
    r"^(?:[\s,;，；、。.]|(?:and|or|but)(?![\w'’-])|[但而且和](?=\s))++|"
    r"(?:[\s,;，；、。.]|(?<=\s)(?:and|or|but)$)++$",
    re.IGNORECASE,
)
# A comma that follows a space or another comma.
_PAUSE = re.compile(r"[\s,，;；]*([,，;；])")


# These negate a separate term behind them, as in `without "a red car"`.
_BEFORE_A_TERM = {
    *("without", "w/o", "except", "excluding"),
    *("没有", "沒有", "不要", "不含", "除了"),
}
_HALF_WIDTH = str.maketrans("，；！？（）　", ",;!?() ")


@dataclass(frozen=True)
class Wording:
    """Texts to be like (`plus`) and unlike (`minus`). `said` are the negations that were read,
    `operators` the operators. `unclear` is a negation that stays text because it is not plain."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    unclear: str = ""


def read(words: str) -> Wording:
    """Read words without quotes. BREAK stands where another term stood between them."""
    as_typed = Wording(_texts([words]))
    if len(words) > _LONGEST:
        return as_typed
    parts, operators = _parts(words)
    found = [_negations(part) for part in parts]
    every = [one for each in found for one in each]
    plus = _texts(_without(part, each) for part, each in zip(parts, found, strict=True))
    minus = tuple(dict.fromkeys(thing for one in every for thing in one.things))
    unclear = [one.said for one in every if not one.things]
    if unclear or len(minus) > _MOST or set(plus) & set(minus):
        return replace(as_typed, unclear=(unclear or [every[0].said])[0])
    return Wording(plus, minus, tuple(one.said for one in every), operators)


def is_read_as_typed(text: str) -> bool:
    """Whether a text without quotes is one text, wherever it stands in a line."""
    as_typed = Wording((text,))
    return not negates_a_term(text.split(" ")[-1]) and all(
        read(words) == as_typed for words in (text, f"{BREAK} {text} {BREAK}")
    )


def negates_a_term(word: str) -> bool:
    """Whether a word negates a separate term right behind it."""
    return word == "NOT" or word.lower() in _BEFORE_A_TERM


def _negations(part: str) -> list[Negation]:
    half_width = part.translate(_HALF_WIDTH)
    return sorted([*english(half_width), *chinese(half_width)], key=lambda one: one.start)


def _parts(words: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the words between the operators, and the operators."""
    parts = _OPERATOR.split(words)
    if "".join(parts[::2]).isupper():
        return [words], ()
    return parts[::2], tuple(dict.fromkeys(parts[1::2]))


def _without(part: str, found: list[Negation]) -> str:
    """Return the words without their negations."""
    if not found:
        return part
    ends = [0, *(one.end for one in found)]
    starts = [*(one.start for one in found), len(part)]
    kept = " ".join(part[end:start] for end, start in zip(ends, starts, strict=True))
    return _EDGES.sub("", _PAUSE.sub(r"\1", kept.replace(BREAK, " ")))


def _texts(parts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts that are left, each once, in one spelling."""
    texts = (normalise_text(part.replace(BREAK, " ")) for part in parts)
    return tuple(dict.fromkeys(filter(None, texts)))
