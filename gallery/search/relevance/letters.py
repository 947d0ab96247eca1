"""Strings of letters and digits that are no words.

- a run along the keys of a keyboard (asdf);
- many changes between letters and digits (8f3a9c);
- letters that follow one another as in hardly any word (xkqzvb). LETTERS_FILE lists which letters
  follow which two in the words of a large vocabulary from the web, with names and foreign words.

Short words, acronyms and scripts other than Latin are never doubted: a false alarm is worse than
a miss.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

# Made by tools/letters.py: two letters, and those that follow them. ^ and $ are the edges of words.
LETTERS_FILE = Path(__file__).parent / "letters.txt"

# A word is doubted if at least this share of its letters follow the two before them in no word of
# the vocabulary. In 2,000 words with typing errors that is the case for 6, in 2,000 random strings
# for 1,168.
_MOST_STRANGE = 0.5
_FEWEST_LETTERS = 5
# The longest acronym in capitals.
_ACRONYM = 6
# "8f3a" has four runs of letters and digits.
_MOST_RUNS = 4
# The least keys in a row.
_KEYS = 3
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

_RUN = re.compile(r"[^\W\d]+|\d+")


def may_be_word(word: str) -> bool:
    """Whether a string of letters and digits may be a word of some language."""
    # 2024年5月3日 is a day.
    if word.isascii() and len(_RUN.findall(word)) > _MOST_RUNS:
        return False
    if word.isupper() and len(word) <= _ACRONYM:
        return True
    letters = _without_accents(word)
    if not (letters.isascii() and letters.isalpha()):
        return True
    return not _is_keys_in_a_row(letters) and not _is_strange(letters)


def _without_accents(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word.lower())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _is_keys_in_a_row(letters: str) -> bool:
    """Whether a word consists of runs along a row of keys, as asdf and asdasd."""
    return len(letters) > _KEYS and _KEYS_IN_ROWS.fullmatch(letters) is not None


def _runs_of_keys() -> re.Pattern[str]:
    lines = [line for row in _ROWS for line in (row, row[::-1])]
    runs = [
        line[start:stop]
        for line in lines
        for start in range(len(line))
        for stop in range(start + _KEYS, len(line) + 1)
    ]
    # The longest run first, and nothing is tried again.
    return re.compile(f"(?>{'|'.join(sorted(runs, key=len, reverse=True))})++")


_KEYS_IN_ROWS = _runs_of_keys()


def _is_strange(letters: str) -> bool:
    if len(letters) < _FEWEST_LETTERS:
        return False
    marked, follow = f"^{letters}$", _letters_that_follow()
    strange = [
        marked[at + 2] not in follow.get(marked[at : at + 2], "") for at in range(len(letters))
    ]
    return sum(strange) >= _MOST_STRANGE * len(letters)


@cache
def _letters_that_follow() -> dict[str, str]:
    lines = LETTERS_FILE.read_text(encoding="ascii").splitlines()
    return dict(line.split(" ") for line in lines)
