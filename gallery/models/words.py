"""Texts as PostgreSQL searches and compares them, in every language that people write.

Only functions of the database (migration 0012) normalise texts, so that columns, indexes,
stored and typed texts all follow the same rules:

- `gallery_key`: texts with the same key are the same name. Composed and decomposed letters,
  full width, upper and lower case, ß and ss make no difference, nor do invisible characters
  (Unicode's NFKC_Casefold, as near as PostgreSQL comes to it).
- `gallery_bare`: the key without the marks on and in letters (é, ø, ł, й, ά).
- `gallery_spaced`: the key with spaces for all that separates words.
- `gallery_words`: the words as written and bare, both also as English stems.
"""

from __future__ import annotations

from typing import TypeVar, cast

from django.contrib.postgres.search import SearchVectorCombinable, SearchVectorField
from django.db.models import Exists, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.lookups import Contains, Exact, StartsWith

Row = TypeVar("Row", bound=Model)


class Key(Func):
    function = "gallery_key"
    output_field = TextField()


class Bare(Func):
    function = "gallery_bare"
    output_field = TextField()


class Words(SearchVectorCombinable, Func):
    """The words of a text column. `weight` is one of PostgreSQL's four, from "A" to "D"."""

    template = "setweight(gallery_words(%(expressions)s), '%(weight)s')"
    output_field = SearchVectorField()
    config = None

    def __init__(self, column: str, *, weight: str = "D") -> None:
        super().__init__(column, weight=weight)


def called(rows: QuerySet[Row], field: str, name: str) -> QuerySet[Row]:
    """Return the rows whose `field` is the same name as `name`."""
    found = rows.alias(name_typed=Key(field)).filter(name_typed=Key(Value(name)))
    return cast("QuerySet[Row]", found)


def named(rows: QuerySet[Row], field: str, name: str) -> QuerySet[Row]:
    """Return the rows that a user may mean by typing `name`. Without marks on its letters, it
    means names with and without marks. With marks, it means the same name or, if there is none,
    names that differ in marks."""
    typed = Value(name)
    alike = rows.alias(name_bare=Bare(field), name_key=Key(field)).filter(name_bare=Bare(typed))
    same = Q(name_key=Key(typed))
    has_none = ~Exists(alike.filter(same).order_by())
    found = alike.filter(same | Q(Exact(Key(typed), Bare(typed))) | Q(has_none))
    return cast("QuerySet[Row]", found)


def containing(field: str, part: str) -> Q:
    """Return the condition that `field` contains `part`, whatever case and marks of letters."""
    return Q(Contains(Bare(field), Bare(Value(part))))


def beginning(field: str, part: str) -> Q:
    """Return the condition that `field` begins with `part`, whatever case and marks."""
    return Q(StartsWith(Bare(field), Bare(Value(part))))
