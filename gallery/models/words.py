"""Texts as PostgreSQL searches and compares them, in every language that people write.

What one form of a text is, is decided by functions of the database alone (migration 0012),
so that columns, indexes, stored and typed texts all go by the same:

- `gallery_key`: texts of one key are the same name. Composed and decomposed letters, full
  width, upper and lower case, ß and ss make no difference, nor does what is not seen
  (Unicode's NFKC_Casefold, as near as PostgreSQL comes to it).
- `gallery_bare`: the key without the marks on and in letters (é, ø, ł, й, ά).
- `gallery_spaced`: the key with what separates words as spaces.
- `gallery_words`: the words as they stand and bare, both also by their English stems.
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
    """Those of `rows` whose `field` is the same name."""
    found = rows.alias(name_typed=Key(field)).filter(name_typed=Key(Value(name)))
    return cast("QuerySet[Row]", found)


def named(rows: QuerySet[Row], field: str, name: str) -> QuerySet[Row]:
    """Those of `rows` that somebody who types `name` may mean. Who leaves out the marks on
    letters means names with and without them; who writes them, the name that has just
    these, and what differs in marks only where there is none."""
    typed = Value(name)
    alike = rows.alias(name_bare=Bare(field), name_key=Key(field)).filter(name_bare=Bare(typed))
    same = Q(name_key=Key(typed))
    has_none = ~Exists(alike.filter(same).order_by())
    found = alike.filter(same | Q(Exact(Key(typed), Bare(typed))) | Q(has_none))
    return cast("QuerySet[Row]", found)


def containing(field: str, part: str) -> Q:
    """Whether `field` has `part` in it, whatever the case of letters and the marks on them."""
    return Q(Contains(Bare(field), Bare(Value(part))))


def beginning(field: str, part: str) -> Q:
    """The same of its beginning."""
    return Q(StartsWith(Bare(field), Bare(Value(part))))
