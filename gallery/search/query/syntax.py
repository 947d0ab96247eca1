"""The query line: a query as one line of text, in the search bar and in addresses.

    beach sunset "a red car"^0.5 -people like:<id>[10,20,50,40] tag:holiday after:2024

All words without quotes form one text, but for dates (gallery.search.query.dates_in_words), plain
negations and the operators AND, OR and NOT (gallery.search.query.wording). A quoted text is a
separate term. A leading `-` makes a term negative, a trailing `^` gives its weight. `like:` and
`upload:` are pictures, with a crop in percent in brackets. Every other `key:value` is a filter. An
unknown key is text. No line is an error here: values of filters are checked where they are used.

The grammar, with [] for optional and {} for any number of times:

    query  = { token }
    token  = [ "-" ] ( key ":" value | value ) [ "[" crop "]" ] [ "^" weight ]
    value  = quoted | characters that are not spaces
    quoted = '"' { character | '\\"' | '\\\\' } '"'      (or “ ”, 「 」, 『 』, „ “, « »)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.search.filters import dates
from gallery.search.query import dates_in_words, wording
from gallery.search.query.dates_in_words import DatesRead
from gallery.search.query.negation import BREAK
from gallery.search.query.notes import Note
from gallery.search.query.query import (
    FILTER_NAMES,
    LIST_FILTERS,
    MAX_WEIGHT,
    NEGATIVE_FILTERS,
    SHARE_DIGITS,
    SIZE_DIGITS,
    UPLOAD_ID,
    WEIGHT_DIGITS,
    Crop,
    Query,
    Term,
    clean_filter,
)
from gallery.search.query.wording_notes import notes_of, notes_of_dates
from gallery.spelling import normalise_text

# Opening -> closing quotation marks.
QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“", "«": "»", "「": "」", "『": "』"}
_COLON = ":："
_MINUS = "-−－"

# Aliases of keys, in lower case.
ALIASES = {
    "colour": "color",
    "favorite": "favourite",
    "标签": "tag",
    "標籤": "tag",
    "相册": "album",
    "相簿": "album",
    "所有者": "owner",
    "相机": "camera",
    "相機": "camera",
    "之后": "after",
    "之後": "after",
    "之前": "before",
    "日期": "on",
    "方向": "orientation",
    "分类": "category",
    "分類": "category",
    "类别": "category",
    "類別": "category",
    "颜色": "color",
    "顏色": "color",
    "收藏": "favourite",
    "可见性": "visibility",
    "可見性": "visibility",
    "大小": "size",
    "stars": "rating",
    "评分": "rating",
    "評分": "rating",
    "星级": "rating",
    "星級": "rating",
    "归档": "archived",
    "歸檔": "archived",
    "文字": "words",
    "类似": "like",
    "類似": "like",
}
# Megapixels: [least, most).
SIZES: dict[str, tuple[float | None, float | None]] = {
    "small": (None, 2.0),
    "medium": (2.0, 8.0),
    "large": (8.0, None),
}

_KEY = re.compile(rf"(\w[\w-]*)[{_COLON}]")
_WEIGHT = re.compile(r"\^(\d+(?:\.\d*)?|\.\d+)(?=\s|$)")
_CROP = re.compile(r"\[([^\]\s]*)\]")
_SIZE = re.compile(r"([<>])=?\s*(\d+(?:\.\d*)?|\.\d+)\s*(?:mp|mpx|m)?", re.IGNORECASE)
_ABOVE = re.compile(r"[>＞]\S+")


@dataclass(frozen=True)
class Parsed:
    """The query of a line, and notes on how the line was understood."""

    query: Query
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Token:
    """A part of a line: `line[start:end]`. `written_key` is the key as typed, with its colon, and
    `key` its canonical form. Both are empty without a key. The value begins at `value_start`;
    `value` has no quotation marks, crop or weight."""

    start: int
    end: int
    negative: bool
    written_key: str
    key: str
    value_start: int
    value: str
    quoted: bool
    crop: str | None
    weight: float | None


def parse(text: str) -> Parsed:
    """Parse a line. Never raises Refusal: the notes explain what was ignored."""
    reader = _Reader()
    for token in tokens(text):
        reader.take(token)
    return reader.parsed()


def format(query: Query) -> str:
    """Return the canonical line of a query. `parse` reads the same query from it."""
    parts: list[str] = []
    bare = next((term for term in query.terms if _may_stand_bare(term)), None)
    for term in query.terms:
        parts.append(term.text if term is bare else _term(term))
    parts += _filters(query)
    return " ".join(parts)


# --- Tokens -----------------------------------------------------------------------


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a line from left to right."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token = _token_at(text, position)
        yield token
        position = token.end


def _token_at(text: str, start: int) -> Token:
    position = start
    negative = text[position] in _MINUS and _has_more(text, position + 1)
    if negative:
        position += 1
    written_key = key = ""
    if match := _KEY.match(text, position):
        written_key, position = match[0], match.end()
        key = ALIASES.get(match[1].lower(), match[1].lower())
    # A filter has no crop and no weight: everything is its value.
    is_filter = key in _SHORT_KEYS or key in FILTER_NAMES
    is_picture = key in PICTURES
    value_start = position
    quoted = text[position : position + 1] in QUOTES
    if quoted:
        value, position = _quoted(text, position)
        # A probability stands behind the quotation marks: category:"palm tree">0.9
        if key in NEGATIVE_FILTERS and (match := _ABOVE.match(text, position)):
            value, position = value + match[0], match.end()
    else:
        value, position = _bare(text, position, cropped=is_picture, weighted=not is_filter)
    crop = weight = None
    if is_picture and (match := _CROP.match(text, position)):
        crop, position = match[1], match.end()
    if not is_filter and (match := _WEIGHT.match(text, position)):
        weight, position = float(match[1]), match.end()
    return Token(
        start, position, negative, written_key, key, value_start, value, quoted, crop, weight
    )


def _has_more(text: str, position: int) -> bool:
    """Whether a character other than a space or a minus is at `position`: a minus before it is a
    sign."""
    return position < len(text) and not text[position].isspace() and text[position] not in _MINUS


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Return the text between quotation marks and the position after it. Without a closing mark the
    text ends with the line."""
    closing = QUOTES[text[start]]
    characters: list[str] = []
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == closing:
            return "".join(characters), position + 1
        if character == "\\" and text[position + 1 : position + 2] in (closing, "\\"):
            position += 1
            character = text[position]
        characters.append(character)
        position += 1
    return "".join(characters), position


def _bare(text: str, start: int, *, cropped: bool, weighted: bool) -> tuple[str, int]:
    """Return the text up to the next space, crop or weight, and the position after it."""
    end = start
    while end < len(text) and not text[end].isspace():
        if end > start and (
            (weighted and text[end] == "^" and _WEIGHT.match(text, end))
            or (cropped and text[end] == "[" and _CROP.match(text, end))
        ):
            break
        end += 1
    return text[start:end], end


# --- From tokens to a query -------------------------------------------------------


class _Reader:
    """Collects terms and filters in their order. Words without quotes stand at the place of the
    first of them."""

    def __init__(self) -> None:
        self._terms: list[Term] = []
        self._words: list[str] = []
        self._words_at: int | None = None
        self._filters: dict[str, Any] = {}
        self._notes: list[Note] = []

    def parsed(self) -> Parsed:
        as_typed = self._line_as_typed()
        dated = self._dates_in_words()
        read = wording.read(dated.words)
        words = [
            *(Term(text=text) for text in read.plus),
            *(Term(text=text, weight=-1.0) for text in read.minus),
        ]
        self._notes += [*notes_of_dates(dated, as_typed), *notes_of(read, as_typed)]
        return Parsed(self._query(words), self._notes)

    def _dates_in_words(self) -> DatesRead:
        """Read the date among the words as a filter. Beside a filter for dates all are words."""
        words = " ".join(self._words)
        if any(name in self._filters for name in _DATES):
            return DatesRead(words)
        read = dates_in_words.read(words)
        if read.date:
            both = (read.date.after, read.date.before)
            self._filters |= {name: day for name, day in zip(_DATES, both, strict=True) if day}
        return read

    def _query(self, words: list[Term]) -> Query:
        """Return the query with these terms in the place of the words without quotes."""
        at = len(self._terms) if self._words_at is None else self._words_at
        return Query((*self._terms[:at], *words, *self._terms[at:]), dict(self._filters))

    def _line_as_typed(self) -> str:
        """Return the line that searches for the words without quotes as they stand."""
        words = normalise_text(" ".join(word for word in self._words if word != BREAK))
        return format(self._query([Term(text=words)] if words else []))

    def take(self, token: Token) -> None:
        if not token.key:
            self._take_text(token, token.value)
        elif token.key in PICTURES:
            self._take_picture(token)
        elif token.key in _SHORT_KEYS or token.key in FILTER_NAMES:
            self._take_filter(token)
        else:
            self._note(
                "unknown_key",
                _("“%(key)s” is no filter: it is searched for as text.")
                % {"key": token.written_key},
            )
            self._take_text(token, token.written_key + token.value)

    def _take_text(self, token: Token, text: str) -> None:
        if token.quoted or token.negative or token.weight is not None:
            text = normalise_text(text)
            if text:
                self._add(token, text=text)
        elif text := normalise_text(text):
            if self._words_at is None:
                self._words_at = len(self._terms)
            self._words.append(text)

    def _take_picture(self, token: Token) -> None:
        value = token.value.strip()
        if token.key == "upload" and UPLOAD_ID.fullmatch(value):
            self._add(token, upload=value, crop=self._crop(token))
            return
        if token.key == "like" and (image := _uuid(value)) is not None:
            self._add(token, image=image, crop=self._crop(token))
            return
        self._note(
            "not_a_picture",
            _("“%(text)s” names no picture: it is searched for as text.") % {"text": value[:50]},
        )
        self._take_text(token, value)

    def _take_filter(self, token: Token) -> None:
        value = token.value.strip()
        if not value:
            self._note(
                "no_value",
                _("“%(key)s” has no value: write it right behind the colon.")
                % {"key": token.written_key},
            )
            return
        if token.negative and token.key in NEGATIVE_FILTERS:
            value = f"-{value}"
        elif token.negative:
            self._note(
                "no_negative_filter",
                _("A filter cannot be negative: “%(value)s” is searched for as text to be unlike.")
                % {"value": value[:50]},
            )
            self._take_text(token, value)
            return
        stands_for = _SHORT_KEYS.get(token.key)
        filters = stands_for(value) if stands_for else {token.key: value}
        for name, found in filters.items():
            self._set(name, found, token)

    def _set(self, name: str, value: Any, token: Token) -> None:
        try:
            cleaned = clean_filter(name, value)
        except Refusal as refusal:
            self._note(refusal.code, str(refusal))
            return
        known = self._filters.get(name)
        if name in LIST_FILTERS and known:
            cleaned = list(dict.fromkeys([*known, *cleaned]))
        elif known is not None and known != cleaned:
            self._note(
                "given_twice",
                _("“%(key)s” is given twice: the last one counts.") % {"key": token.written_key},
            )
        self._filters[name] = cleaned

    def _add(self, token: Token, **parts: Any) -> None:
        weight = 1.0 if token.weight is None else round(token.weight, WEIGHT_DIGITS)
        if weight > MAX_WEIGHT:
            self._note("bad_weight", _("A weight is at most %(most)g.") % {"most": MAX_WEIGHT})
            weight = MAX_WEIGHT
        if weight == 0:
            self._note("bad_weight", _("What has the weight 0 is left out."))
            return
        negative = token.negative or self._takes_a_negation()
        self._terms.append(Term(**parts, weight=-weight if negative else weight))
        self._words.append(BREAK)

    def _takes_a_negation(self) -> bool:
        """Whether the word before this term negates it, as in `without "a red car"`. It is then no
        word any more."""
        if not self._words or not wording.negates_a_term(self._words[-1]):
            return False
        word = self._words.pop()
        self._note("negation", _("“%(word)s” is read as a minus.") % {"word": word})
        return True

    def _crop(self, token: Token) -> Crop | None:
        if token.crop is None:
            return None
        try:
            return Crop.from_sides([float(side) / 100 for side in token.crop.split(",")])
        except (ValueError, Refusal):
            self._note(
                "bad_crop",
                _("A crop is [left, top, width, height] in percent: the whole picture is taken."),
            )
            return None

    def _note(self, code: str, message: str) -> None:
        note = Note(code, message)
        if note not in self._notes:
            self._notes.append(note)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


# --- Keys of filters --------------------------------------------------------------


def _from(value: str) -> dict[str, Any]:
    span = dates.span(value)
    return {"taken_after": span[0] if span else value}


def _until(value: str) -> dict[str, Any]:
    span = dates.span(value)
    return {"taken_before": span[0] if span else value}


def _on(value: str) -> dict[str, Any]:
    # Both filters get an invalid value, so that the refusal can name this key.
    after, before = dates.span(value) or (value, value)
    return {"taken_after": after, "taken_before": before}


def _size(value: str) -> dict[str, Any]:
    word = _SIZE_WORDS.get(value.lower(), value.lower())
    if word in SIZES:
        least, most = SIZES[word]
        both = {"size_min": least, "size_max": most}
        return {name: limit for name, limit in both.items() if limit is not None}
    match = _SIZE.fullmatch(value)
    if match is None:
        # The filter refuses this value with its own message.
        return {"size_min": value}
    return {"size_min" if match[1] == ">" else "size_max": float(match[2])}


_SIZE_WORDS = {"大": "large", "中": "medium", "小": "small"}

PICTURES = ("like", "upload")
_DATES = ("taken_after", "taken_before")
# Keys that stand for one or two filters -> the function from their value to filters by name. The
# other keys are the names of filters.
_SHORT_KEYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "after": _from,
    "before": _until,
    "on": _on,
    "size": _size,
}


# --- From a query to a line -------------------------------------------------------


def quote(text: str) -> str:
    """Return `text` as a value, in quotation marks if needed."""
    return text if _is_plain(text) and " " not in text else _quotation(text)


def _quotation(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _may_stand_bare(term: Term) -> bool:
    return (
        term.is_text
        and term.weight == 1
        and _is_plain(term.text)
        and wording.is_read_as_typed(term.text)
        and dates_in_words.is_read_as_typed(term.text)
    )


def _is_plain(text: str) -> bool:
    """Whether the words of `text` have no special meaning in a line."""
    words = text.split(" ")
    return all(
        word and word[0] not in QUOTES and word[0] not in _MINUS and word == _harmless(word)
        for word in words
    )


def _harmless(word: str) -> str:
    """Return `word` without characters that have a meaning in the syntax."""
    return "".join(
        character
        for character in word
        if not character.isspace() and character not in _COLON and character not in "^[]\\"
    )


def _term(term: Term) -> str:
    sign = "-" if term.weight < 0 else ""
    size = abs(term.weight)
    weight = "" if size == 1 else f"^{_decimal(size, WEIGHT_DIGITS)}"
    if term.is_text:
        bare = sign and " " not in term.text and _is_plain(term.text)
        return f"{sign}{term.text if bare else _quotation(term.text)}{weight}"
    crop = ""
    if term.crop is not None:
        # Percent need two decimal places less than shares.
        sides = [_decimal(side * 100, SHARE_DIGITS - 2) for side in term.crop.as_list()]
        crop = f"[{','.join(sides)}]"
    named = f"like:{term.image}" if term.image is not None else f"upload:{term.upload}"
    return f"{sign}{named}{crop}{weight}"


def _filters(query: Query) -> Iterator[str]:
    """Yield each filter with a short key if there is one, else with its own name."""
    left = dict(query.filters)
    yield from _dates(left)
    yield from _sizes(left)
    for name, value in left.items():
        for entry in value if isinstance(value, list) else [value]:
            text = ("yes" if entry else "no") if isinstance(entry, bool) else str(entry)
            sign = "-" if name in NEGATIVE_FILTERS and text.startswith("-") else ""
            yield f"{sign}{name}:{quote(text.removeprefix(sign))}"


def _dates(left: dict[str, Any]) -> Iterator[str]:
    """Yield the dates and remove them from `left`."""
    after, before = left.pop("taken_after", None), left.pop("taken_before", None)
    if after and before and (day := dates.spanning(after, before)):
        yield f"on:{day}"
        return
    if isinstance(after, str) and after == before and dates.span(after) is None:
        yield f"on:{quote(after)}"
        return
    for key, value in (("after", after), ("before", before)):
        if value is not None:
            yield f"{key}:{quote(dates.shortest(str(value)))}"


def _sizes(left: dict[str, Any]) -> Iterator[str]:
    """Yield the sizes and remove them from `left`."""
    limits = (left.pop("size_min", None), left.pop("size_max", None))
    for word, both in SIZES.items():
        if limits == both:
            yield f"size:{word}"
            return
    for name, sign, value in (("size_min", ">", limits[0]), ("size_max", "<", limits[1])):
        if isinstance(value, float) and value >= 0:
            yield f"size:{sign}{_decimal(value, SIZE_DIGITS)}mp"
        elif value is not None:
            yield f"{name}:{quote(str(value))}"


def _decimal(number: float, digits: int) -> str:
    """Return the number without an exponent and without trailing zeros."""
    return f"{number:.{digits}f}".rstrip("0").rstrip(".")
