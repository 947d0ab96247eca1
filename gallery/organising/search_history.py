"""The search history of a user, which nobody else sees. It offers searches again and can be
erased.

There is no undo, since it would have to keep what is erased.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from gallery.library.user_lock import lock_user
from gallery.models import SearchRecord, User, Viewer
from gallery.models.words import containing
from gallery.search.query import syntax
from gallery.search.query.query import Query, Term
from gallery.spelling import normalise_text

if TYPE_CHECKING:
    from django.db.models import QuerySet

# The most searches that are kept, the latest ones.
MAX_RECORDS = 200
# A search that refines the latest one within this time takes its place.
REFINED_WITHIN = timedelta(minutes=10)
# A word, or a single Chinese character: these are written without spaces.
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
MAX_CHARACTERS = SearchRecord._meta.get_field("text").max_length or 0


def history_of(user: Viewer) -> QuerySet[SearchRecord]:
    """Return the user's searches, the latest first."""
    return SearchRecord.objects.filter(user_id=user.pk or 0)


def note(user: Viewer, text: str) -> None:
    """Put the query `text`, in one line, on top of `user`'s history. Queries that only differ in
    spelling are one entry. So are those of one session of refining: each takes the place of the
    one before.

    Nothing is kept for visitors, for users who have switched the history off, and for queries
    with an uploaded picture, which itself is only kept for an hour.
    """
    if not isinstance(user, User) or not user.keep_history:
        return
    line = _one_spelling(text)
    if not line or len(line) > MAX_CHARACTERS:
        return
    refined = _refined(user, line)
    with connection.cursor() as cursor:
        # One statement, and no wait for the disk, since the user waits for the results. A crash of
        # the server may lose the searches of the last moment.
        cursor.execute(
            "SET LOCAL synchronous_commit = off; WITH noted AS"
            "  (INSERT INTO gallery_searchrecord (user_id, text, searched_at)"
            "   VALUES (%(user)s, %(text)s, %(now)s)"
            "   ON CONFLICT (user_id, text) DO UPDATE SET searched_at = excluded.searched_at)"
            " DELETE FROM gallery_searchrecord WHERE id IN"
            "  (SELECT id FROM gallery_searchrecord"
            "   WHERE user_id = %(user)s AND text <> %(text)s"
            "   ORDER BY searched_at DESC, id DESC OFFSET %(others)s)"
            " OR user_id = %(user)s AND text = %(refined)s AND text <> %(text)s",
            {
                "user": user.pk,
                "text": line,
                "now": timezone.now(),
                "others": MAX_RECORDS - 1,
                "refined": refined,
            },
        )


def _refined(user: User, line: str) -> str:
    """Return the latest search of `user` if `line` refines it, else ""."""
    latest = history_of(user).values_list("text", "searched_at").first()
    if latest is None:
        return ""
    text, searched_at = latest
    if timezone.now() - searched_at > REFINED_WITHIN:
        return ""
    return text if refines(syntax.parse(line).query, syntax.parse(text).query) else ""


def refines(query: Query, before: Query) -> bool:
    """Whether `query` is made from `before` by adding, changing or removing a part: they have a
    picture in common, the words of a text in one are among those of a text in the other or, if one
    has neither, a filter in common."""
    if query.terms and before.terms:
        pairs = product(query.terms, before.terms)
        return any(_is_about_the_same(term, other) for term, other in pairs)
    return bool(_entries(query) & _entries(before))


def _entries(query: Query) -> set[tuple[str, str]]:
    """Return the filters, each value of a list for itself."""
    return {
        (name, str(entry))
        for name, value in query.filters.items()
        for entry in (value if isinstance(value, list) else [value])
    }


def _is_about_the_same(term: Term, other: Term) -> bool:
    """Whether two terms are the same picture, or the words of one are among those of the other."""
    if not (term.is_text and other.is_text):
        return term.image is not None and term.image == other.image
    words, others = _words(term.text), _words(other.text)
    return bool(words and others) and (words <= others or others <= words)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def offered(user: Viewer, typed: str, most: int) -> list[str]:
    """Return the latest searches that contain what has been typed so far."""
    found = (
        history_of(user).filter(containing("text", typed.strip()))
        if typed.strip()
        else history_of(user)
    )
    return list(found.values_list("text", flat=True)[:most])


def erase(user: Viewer, record_id: int) -> bool:
    """Erase one search. Returns whether it was there."""
    return bool(history_of(user).filter(pk=record_id).delete()[0])


def erase_all(user: Viewer) -> int:
    """Erase all searches. Returns how many."""
    return history_of(user).delete()[0]


@transaction.atomic
def switch(user: User, *, keep: bool, erase: bool = False) -> None:
    """Switch the history on or off; with `erase`, also erase what has been kept."""
    lock_user(user)
    user.keep_history = keep
    user.save(update_fields=["keep_history"])
    if erase:
        erase_all(user)


def _one_spelling(text: str) -> str:
    """Return the query as `syntax.format` writes it; empty if it must not be kept."""
    query = syntax.parse(normalise_text(text)).query
    if any(term.upload for term in query.terms):
        return ""
    return syntax.format(query)
