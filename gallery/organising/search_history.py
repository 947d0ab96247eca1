"""The searches that somebody made, for them alone: offered again, erased at will.

What is erased is gone: there is no undo, which would have to keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.utils import timezone

from gallery.encoders.client import normalise_text
from gallery.library.user_lock import lock_user
from gallery.models import SearchRecord, User
from gallery.models.words import containing
from gallery.search import syntax

if TYPE_CHECKING:
    from django.db.models import QuerySet

Viewer = User | AnonymousUser

# The latest so many are kept.
MAX_RECORDS = 200
MAX_CHARACTERS = SearchRecord._meta.get_field("text").max_length or 0


def history_of(user: Viewer) -> QuerySet[SearchRecord]:
    """The latest first."""
    return SearchRecord.objects.filter(user_id=user.pk or 0)


def note(user: Viewer, text: str) -> None:
    """Keep that `user` searched for `text`, the query in one line: on top of the
    history, once, however it was spelt.

    Nothing is kept of visitors, of those who switched the history off, and of queries
    with a picture that is itself kept for an hour only.
    """
    if not isinstance(user, User) or not user.keep_history:
        return
    line = _one_spelling(text)
    if not line or len(line) > MAX_CHARACTERS:
        return
    with connection.cursor() as cursor:
        # One round trip, and none to the disk: somebody waits for the results, and a
        # crash of the server may cost the searches of its last moment.
        cursor.execute(
            "SET LOCAL synchronous_commit = off; WITH noted AS"
            "  (INSERT INTO gallery_searchrecord (user_id, text, searched_at)"
            "   VALUES (%(user)s, %(text)s, %(now)s)"
            "   ON CONFLICT (user_id, text) DO UPDATE SET searched_at = excluded.searched_at)"
            " DELETE FROM gallery_searchrecord WHERE id IN"
            "  (SELECT id FROM gallery_searchrecord"
            "   WHERE user_id = %(user)s AND text <> %(text)s"
            "   ORDER BY searched_at DESC, id DESC OFFSET %(others)s)",
            {"user": user.pk, "text": line, "now": timezone.now(), "others": MAX_RECORDS - 1},
        )


def offered(user: Viewer, typed: str, most: int) -> list[str]:
    """The latest searches that hold what has been typed so far."""
    found = (
        history_of(user).filter(containing("text", typed.strip()))
        if typed.strip()
        else history_of(user)
    )
    return list(found.values_list("text", flat=True)[:most])


def erase(user: Viewer, record_id: int) -> bool:
    """Whether it was there."""
    return bool(history_of(user).filter(pk=record_id).delete()[0])


def erase_all(user: Viewer) -> int:
    """Returns how many searches are forgotten."""
    return history_of(user).delete()[0]


@transaction.atomic
def switch(user: User, *, keep: bool, erase: bool = False) -> None:
    """Keep a history from now on, or none; with `erase`, forget what has been kept."""
    lock_user(user)
    user.keep_history = keep
    user.save(update_fields=["keep_history"])
    if erase:
        erase_all(user)


def _one_spelling(text: str) -> str:
    """The query as `syntax.format` writes it; empty for what is not to be kept."""
    query = syntax.parse(normalise_text(text)).query
    if any(term.upload for term in query.terms):
        return ""
    return syntax.format(query)
