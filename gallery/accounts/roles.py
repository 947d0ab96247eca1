"""Roles, quotas and activation of accounts.

`is_staff` and `is_superuser` follow the role (see `take_role`): Django's admin uses them, our
own code uses the role. At least one administrator always remains.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gallery import trail
from gallery.accounts import credentials
from gallery.errors import Refusal
from gallery.models import User, Viewer
from gallery.models.words import containing
from gallery.trail import Event

# The fields of an account that an administrator may change.
CHANGEABLE = ("role", "is_active", "quota_bytes", "quota_images")
# The largest values of the columns.
_LARGEST = {"quota_bytes": 2**63 - 1, "quota_images": 2**31 - 1}


def is_administrator(user: Viewer) -> bool:
    return isinstance(user, User) and user.is_active and user.is_administrator


def is_moderator(user: Viewer) -> bool:
    """Whether the user may moderate. Administrators may, too."""
    return isinstance(user, User) and user.is_active and user.is_moderator


def search_accounts(text: str) -> QuerySet[User]:
    """The accounts that administrators see, by a part of a name or address, without those that
    are being deleted."""
    accounts = User.objects.filter(deletion_requested_at__isnull=True)
    text = text.replace("\x00", "").strip()
    if not text:
        return accounts
    fields = ("username", "email", "display_name")
    return accounts.filter(reduce(or_, (containing(field, text) for field in fields)))


def find_account(username: str) -> User | None:
    """The account with exactly this name, unless it is being deleted."""
    if "\x00" in username:  # PostgreSQL cannot store it
        return None
    return search_accounts("").filter(username=User.normalize_username(username)).first()


def take_role(user: User, role: str) -> None:
    """Set the role of `user` and the flags that follow from it, without saving. Only this
    function sets them."""
    user.role = role
    user.is_staff = user.is_superuser = user.is_administrator


def opens_or_closes(user: User, changes: Mapping[str, Any]) -> bool:
    """Whether these changes need a confirmation by the administrator
    (gallery.accounts.confirmation)."""
    rights = ("role", "is_active")
    return any(name in changes and changes[name] != getattr(user, name) for name in rights)


@transaction.atomic
def change_account(user: User, changes: Mapping[str, Any]) -> User:
    """Change the given fields of CHANGEABLE.

    Raises Refusal (bad_role, bad_quota, last_administrator, being_deleted).
    """
    remaining = lock_administrators()
    account = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    gives_or_takes = opens_or_closes(account, changes)
    if account.deletion_requested_at is not None:
        raise Refusal("being_deleted", _("This account is being deleted."))
    held = {field: getattr(account, field) for field in CHANGEABLE}
    if "role" in changes:
        take_role(account, _clean_role(changes["role"]))
    if "is_active" in changes:
        account.is_active = bool(changes["is_active"])
    for field in _LARGEST.keys() & changes.keys():
        setattr(account, field, _clean_quota(field, changes[field]))
    if not is_administrator(account):
        _keep_one(remaining, {account.pk}, "role" if "role" in changes else "is_active")
    account.save(
        update_fields=["role", "is_staff", "is_superuser", "is_active", *_LARGEST],
    )
    if gives_or_takes:  # existing sessions and tokens must not gain or regain rights
        credentials.renew(account)
        user.credentials_version = account.credentials_version
    _tell(account, held)
    return account


_EVENTS = {
    "role": Event.ROLE_CHANGED,
    "is_active": Event.ACTIVE_CHANGED,
    "quota_bytes": Event.QUOTA_CHANGED,
    "quota_images": Event.QUOTA_CHANGED,
}


def _tell(account: User, held: Mapping[str, Any]) -> None:
    for field, event in _EVENTS.items():
        value = getattr(account, field)
        if value != held[field]:
            trail.record(event, account, field=field, before=held[field], after=value)


def lock_administrators() -> set[int]:
    """Lock all active administrators until the transaction ends, so that two of them cannot
    demote each other at the same time. Return their ids."""
    active = User.objects.filter(
        role=User.Role.ADMINISTRATOR, is_active=True, deletion_requested_at__isnull=True
    )
    return set(active.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def refuse_if_last(leaving: Collection[int]) -> None:
    """Raise Refusal (last_administrator) if no administrator would remain without the accounts
    `leaving`. Needs a transaction."""
    _keep_one(lock_administrators(), set(leaving), None)


def _keep_one(administrators: set[int], leaving: set[int], field: str | None) -> None:
    if administrators & leaving and not administrators - leaving:
        raise Refusal(
            "last_administrator",
            _("This is the last administrator. Make another account administrator first."),
            field,
        )


def _clean_role(role: object) -> str:
    if role not in User.Role.values:
        raise Refusal("bad_role", _("Choose a role: user, moderator or administrator."), "role")
    return str(role)


def _clean_quota(field: str, value: object) -> int | None:
    """Return a valid quota: None is the installation's default, 0 no limit. Raises Refusal
    (bad_quota)."""
    if value is None:
        return None
    if not isinstance(value, int) or not 0 <= value <= _LARGEST[field]:
        raise Refusal(
            "bad_quota",
            _("Give a whole number: 0 for no limit, or nothing for the default."),
            field,
        )
    return value
