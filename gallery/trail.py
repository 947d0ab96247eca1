"""The trail of security events: who opened, changed or closed what, and from where. Each event
is a row (`SecurityEvent`) and a line of JSON in the log `clipsite.security`.

The code that makes a change calls `record` in the same transaction: there is no event without
its change, and the log line comes only after the commit. A refused attempt calls `failed`,
whose event survives a rollback. An event that cannot be written is logged and blocks nothing.

The trail never contains passwords, tokens, codes or link addresses. It contains the name of a
sign-in attempt only if an account has this name: otherwise it may be a password that was typed
into the wrong field. Email addresses are masked.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F, Model
from django.utils import timezone

from gallery.models import Image, SecurityEvent, User

logger = logging.getLogger("clipsite.security")

# Equal failures within this time share one row.
_TOGETHER = timedelta(hours=1)
# The most new rows of failures of one kind in that time; all further ones share one row.
_MOST_FAILURES = 500
_LONGEST_DETAIL = 200


class Event(StrEnum):
    ACCOUNT_MADE = "account_made"
    ACCOUNT_EXPORTED = "account_exported"
    ACCOUNT_DELETION_ASKED = "account_deletion_asked"
    ACCOUNT_REMOVED = "account_removed"
    ACTIVE_CHANGED = "active_changed"
    ROLE_CHANGED = "role_changed"
    QUOTA_CHANGED = "quota_changed"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_LOCKED = "sign_in_locked"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    CONFIRMATION_FAILED = "confirmation_failed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSWORD_RESET_ASKED = "password_reset_asked"  # noqa: S105
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SECOND_FACTOR_FAILED = "second_factor_failed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    TOKEN_ISSUED = "token_issued"  # noqa: S105
    TOKEN_ENDED = "token_ended"  # noqa: S105
    SIGN_IN_TOKEN_ENDED = "sign_in_token_ended"  # noqa: S105
    EMAIL_ADDED = "email_added"
    EMAIL_CONFIRMED = "email_confirmed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_REMOVED = "email_removed"
    INVITATION_MADE = "invitation_made"
    INVITATION_REVOKED = "invitation_revoked"
    INVITATION_USED = "invitation_used"
    PICTURE_HIDDEN = "picture_hidden"
    PICTURE_UNHIDDEN = "picture_unhidden"
    PICTURE_CHANGED = "picture_changed"
    PICTURE_DELETED = "picture_deleted"
    PICTURE_RESTORED = "picture_restored"
    PICTURE_PURGED = "picture_purged"
    LINK_MADE = "link_made"
    LINK_CHANGED = "link_changed"
    LINK_REVOKED = "link_revoked"
    LINK_PASSWORD_FAILED = "link_password_failed"  # noqa: S105
    SHARED = "shared"
    SHARE_CHANGED = "share_changed"
    SHARE_ENDED = "share_ended"
    GROUP_DELETED = "group_deleted"
    MEMBER_ADDED = "member_added"
    MEMBER_REMOVED = "member_removed"
    TRIES_LOCKED = "tries_locked"
    LABEL_SET_MADE = "label_set_made"
    LABEL_SET_CHANGED = "label_set_changed"
    LABEL_SET_APPLIED = "label_set_applied"
    LABEL_SET_DELETED = "label_set_deleted"
    SPACE_ACTIVATED = "space_activated"


@dataclass
class Origin:
    """The origin of the current action."""

    source: str
    address: str = ""
    agent: str = ""
    actor: Callable[[], User | None] = lambda: None
    # Failures inside a transaction, which may be rolled back. They are written afterwards.
    _postponed: list[SecurityEvent] | None = field(default=None)


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Set the origin of all events inside the block, for example of a request."""
    origin._postponed = []
    reset = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(reset)
        for event in origin._postponed:
            _write(event, _count)


def actor() -> User | None:
    """The signed-in account of the current origin."""
    return _here().actor()


def record(
    event: Event,
    account: User | None = None,
    target: Model | None = None,
    *,
    by: User | None = None,
    **details: object,
) -> None:
    """Record an event that happened to `account`, or to its `target`. `by` is who did it; the
    default is the signed-in account."""
    described = _described(event, account, target, by, details)
    if described is not None:
        _write(described, SecurityEvent.save)
        transaction.on_commit(lambda: _log(described, logging.INFO), robust=True)


def record_if_anothers(event: Event, image: Image, **details: object) -> None:
    """Record what somebody does with a picture of another owner. What owners do with their own
    pictures is no event."""
    doer = actor()
    if doer is not None and not image.is_owned_by(doer):
        record(event, image.owner, image, by=doer, **details)


def failed(
    event: Event, account: User | None = None, target: Model | None = None, **details: object
) -> None:
    """Record an attempt that was refused."""
    described = _described(event, account, target, None, details)
    if described is None:
        return
    _log(described, logging.WARNING)
    postponed = _here()._postponed
    if postponed is not None and connection.in_atomic_block:
        postponed.append(described)
    else:
        _write(described, _count)


def forget_old() -> int:
    """Remove events older than SECURITY_EVENT_DAYS. Return the number of rows."""
    before = timezone.now() - timedelta(days=settings.SECURITY_EVENT_DAYS)
    count, _by_model = SecurityEvent.objects.filter(at__lt=before).delete()
    return count


def masked(email: str) -> str:
    """Mask an address so that only its owner recognises it: a…@example.org."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}…{at}{domain}"


def _here() -> Origin:
    given = _origin.get()
    if given is not None:
        return given
    if current_app.current_worker_task is not None:
        return Origin(SecurityEvent.Source.WORKER)
    return Origin(SecurityEvent.Source.COMMAND, agent=" ".join(sys.argv[1:2]))


def _described(
    event: Event,
    account: User | None,
    target: Model | None,
    by: User | None,
    details: dict[str, object],
) -> SecurityEvent | None:
    """The event as a row; None if the database cannot tell who is signed in."""
    origin = _here()
    try:
        doer = by or origin.actor()
    except (DatabaseError, InterfaceError):
        logger.exception("The event %s is not written: who did it is not known", event)
        return None
    return SecurityEvent(
        kind=event,
        account=account,
        account_name=account.get_username() if account else "",
        actor=doer,
        actor_name=doer.get_username() if doer else "",
        source=origin.source,
        address=_short(origin.address, 64),
        agent=_short(origin.agent, 60),
        target=f"{target._meta.model_name}:{target.pk}" if target is not None else "",
        details={name: _plain(value) for name, value in details.items()},
    )


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _short(str(value), _LONGEST_DETAIL)


def _short(text: str, most: int) -> str:
    """At most `most` characters, each one printable, for PostgreSQL and the log."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:most])


def _write(event: SecurityEvent, how: Callable[[SecurityEvent], None]) -> None:
    """Write the event in the current transaction. If that fails, the transaction goes on."""
    try:
        with transaction.atomic():
            how(event)
    except (DatabaseError, InterfaceError):
        logger.exception("The event %s is not written", event.kind)


def _count(event: SecurityEvent) -> None:
    """Add a failure to the row of equal failures, or insert one. However many addresses try,
    the table grows by at most _MOST_FAILURES rows of each kind an hour."""
    lately = SecurityEvent.objects.filter(kind=event.kind, at__gt=event.at - _TOGETHER)
    if not _add_to(lately, event):
        if lately.count() >= _MOST_FAILURES:
            event.address = event.agent = event.target = ""
            event.account = event.actor = None
            event.account_name = event.actor_name = ""
            event.details = {"others": True}
            if _add_to(lately, event):
                return
        event.save()


def _add_to(lately: Any, event: SecurityEvent) -> bool:
    same = lately.filter(
        account_id=event.account_id,
        source=event.source,
        address=event.address,
        target=event.target,
        details=event.details,
    )
    found = same.order_by("-at").values_list("pk", flat=True).first()
    if found is None:
        return False
    changes = {"times": F("times") + 1, "last_at": event.at}
    return bool(SecurityEvent.objects.filter(pk=found).update(**changes))


def _log(event: SecurityEvent, level: int) -> None:
    """Write one line to the log, whatever users typed: JSON escapes line breaks."""
    told = {
        "event": str(event.kind),
        "account": event.account_name or None,
        "account_id": event.account_id,
        "by": event.actor_name or None,
        "source": str(event.source),
        "address": event.address or None,
        "agent": event.agent or None,
        "object": event.target or None,
        **event.details,
    }
    known = {name: value for name, value in told.items() if value is not None}
    logger.log(level, json.dumps(known))
