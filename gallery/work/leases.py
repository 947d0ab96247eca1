"""The right of one worker to work on one row, for a time: of imports, maps, accounts that are
deleted, measurements. What is done to pictures has a ledger of its own (`ledger`).

Whoever has it says again and again that they are still there. One who died loses it by time,
and one from whom it was taken (by another worker, or with `FREE` by whoever cancels the work)
notices at the next word. All times are the database's, so that clocks may differ.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from gallery.models.leased import Leased
from gallery.work.clock import from_now

Row = TypeVar("Row", bound=Leased)

# What a row says that is in nobody's hands; written, it takes the row out of whoever's.
FREE: dict[str, Any] = {"claim": None, "claimed_until": None}


class Lost(Exception):
    """The row is gone, or no longer this worker's."""


def free() -> Q:
    """Rows in nobody's hands, or in those of one that has died."""
    return Q(claim=None) | Q(claimed_until=None) | Q(claimed_until__lt=Now())


@dataclass
class Lease(Generic[Row]):
    """The right to work on `row`, for `lasts` from the last word on."""

    row: Row
    lasts: timedelta
    token: uuid.UUID = field(default_factory=uuid.uuid4)

    def keep(self, **fields: Any) -> None:
        """Stay the one that works, and write `fields`. Raises Lost."""
        self._write(claimed_until=from_now(self.lasts), **fields)

    def release(self, **fields: Any) -> None:
        """Leave the row to whoever comes next, and write `fields`. Raises Lost."""
        self._write(**{**FREE, **fields})

    def hold(self) -> None:
        """Lock the row until the transaction ends: what it writes is this worker's word.
        Raises Lost."""
        if not self._held().select_for_update(no_key=True).exists():
            raise Lost

    def _write(self, **fields: Any) -> None:
        if not self._held().update(**fields):
            raise Lost
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self.row, name, value)

    def _held(self) -> QuerySet[Row]:
        model = type(self.row)
        return model._base_manager.filter(pk=self.row.pk, claim=self.token)


@transaction.atomic
def take(rows: QuerySet[Row], lasts: timedelta, **fields: Any) -> Lease[Row] | None:
    """The first of `rows` that nobody has, with `fields` written; None where there is none.
    A row that somebody changes at this moment is passed over."""
    row = rows.filter(free()).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    if row is None:
        return None
    lease = Lease(row, lasts)
    row.claim = lease.token
    type(row)._base_manager.filter(pk=row.pk).update(claim=lease.token)
    lease.keep(**fields)
    return lease
