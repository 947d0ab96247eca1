"""Texts as PostgreSQL searches them, in every language that its users write."""

from __future__ import annotations

from django.contrib.postgres.search import SearchVectorCombinable, SearchVectorField
from django.db.models import Func

# Scripts without spaces are searched sign by sign: kana and Chinese characters.
SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# What stands between words of a file name.
JOINTS = "[][(){}_.,;+/\\\\-]+"

_SPACED = (
    f"regexp_replace(regexp_replace(%(expressions)s, '{JOINTS}', ' ', 'g'),"
    f" '([{SIGNS}])', ' \\1 ', 'g')"
)


class Words(SearchVectorCombinable, Func):
    """The words of a text column as they stand and, where they are English, by their
    stems. `weight` is one of PostgreSQL's four, from "A" to "D"."""

    template = (
        f"setweight(to_tsvector('simple', {_SPACED}) || to_tsvector('english', {_SPACED}),"
        " '%(weight)s')"
    )
    output_field = SearchVectorField()
    config = None

    def __init__(self, column: str, *, weight: str = "D") -> None:
        super().__init__(column, weight=weight)
