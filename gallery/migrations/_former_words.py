"""How texts were searched before migration 0012, for the migrations before it."""

from django.contrib.postgres.search import SearchVectorCombinable, SearchVectorField
from django.db.models import Func

SIGNS = (
    "\u2190-\u2bff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
JOINTS = (
    "[][(){}_.,;+/\\\\\u00a0-\u00bf\u00d7\u00f7\u2000-\u206f\u2122\u3000-\u3004\u3008-\u3030"
    "\ufe00-\ufe4f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65-]+"
)

_SPACED = (
    f"regexp_replace(regexp_replace(%(expressions)s, '{JOINTS}', ' ', 'g'),"
    f" '([{SIGNS}])', ' \\1 ', 'g')"
)


class Words(SearchVectorCombinable, Func):
    template = (
        f"setweight(to_tsvector('simple', {_SPACED}) || to_tsvector('english', {_SPACED}),"
        " '%(weight)s')"
    )
    output_field = SearchVectorField()
    config = None

    def __init__(self, column: str, *, weight: str = "D") -> None:
        super().__init__(column, weight=weight)
