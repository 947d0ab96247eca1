"""The line of a query in two parts: a part to read and type, and a part with ids.

The address has the whole line. The text field shows the typed part. Pictures and filters with an
id are chips beside it, and the form sends them in `with`. Only this module decides which part is
which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict

from gallery.models import Viewer
from gallery.search.filters import categories
from gallery.search.query import syntax
from gallery.search.query.query import Query
from gallery.web.searching.query_chips import QueryChip, chips_of, words_of


@dataclass(frozen=True)
class Held:
    """A part of a query that is not shown as text: its line and its chip."""

    line: str
    chip: QueryChip


@dataclass(frozen=True)
class Line:
    """`whole` is the line of the address: the parts `held` and `typed` together. `words` tell
    people in short what is searched for, without an id."""

    whole: str
    typed: str
    words: str
    held: tuple[Held, ...] = ()


def query_line_for(query: Query, viewer: Viewer) -> Line:
    (line,) = lines_of([query], viewer)
    return line


def of_text(text: str, query: Query, viewer: Viewer) -> Line:
    """Return the line of `query`, which was parsed from `text`. Without held parts, the line is
    `text` itself."""
    line = query_line_for(query, viewer)
    return line if line.held else Line(whole=text, typed=text, words=text)


def lines_of(queries: Sequence[Query], viewer: Viewer) -> list[Line]:
    """Return the line of each query. A few statements load the held parts of all queries; without
    held parts there are none."""
    held = [list(_held(query)) for query in queries]
    told = iter(chips_of([*queries, *(part for parts in held for part in parts)], viewer))
    words = [words_of(next(told)) for _ in queries]
    return [
        _line(query, name, [_shown(part, next(told)) for part in parts])
        for query, name, parts in zip(queries, words, held, strict=True)
    ]


def joined(form: QueryDict, name: str) -> str:
    """Return the whole line of a form with the field `name` and the held parts in `with`. These
    come first, because the typed text may lack a closing quotation mark."""
    return " ".join([*form.getlist("with"), form.get(name, "")]).strip()


def _line(query: Query, words: str, held: list[Held]) -> Line:
    typed = Query(
        tuple(term for term in query.terms if term.is_text),
        {name: value for name, value in query.filters.items() if not _is_by_id(name, value)},
    )
    return Line(syntax.format(query), syntax.format(typed), words, tuple(held))


def _shown(part: Query, chips: list[QueryChip]) -> Held:
    return Held(syntax.format(part), chips[0])


def _held(query: Query) -> Iterator[Query]:
    yield from (Query((term,)) for term in query.terms if not term.is_text)
    yield from (
        Query(filters={name: value})
        for name, value in query.filters.items()
        if _is_by_id(name, value)
    )


def _is_by_id(name: str, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(one, str) and _is_id(_subject(name, one)) for one in values)


def _subject(name: str, value: str) -> str:
    """Return what a value names: a category may have a minus and a probability, too."""
    wanted = categories.parse(value) if name == "category" else None
    return wanted.name if wanted else value


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
