"""Leases: the right of one worker to work on one row, for a time. They serve imports, maps,
label jobs, account deletions and measurements. Work on pictures has its own ledger (`ledger`).

The holder renews the lease again and again. The lease of a dead worker expires. A worker that
loses its lease (to another worker, or because somebody cancels the work with `FREE`) notices
at its next renewal. All times are the database's, so that clocks may differ.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from gallery.models.leased import Leased
from gallery.work.clock import from_now

Row = TypeVar("Row", bound=Leased)

# The fields of a row that nobody holds. Writing them takes the row from its holder.
FREE: dict[str, Any] = {"claim": None, "claimed_until": None}


class Lost(Exception):
    """The row is gone, or no longer this worker's."""


def free() -> Q:
    """Rows that nobody holds, or whose lease has expired."""
    return Q(claim=None) | Q(claimed_until=None) | Q(claimed_until__lt=Now())


@dataclass
class Lease(Generic[Row]):
    """The right to work on `row`, for `lasts` from the last renewal on."""

    row: Row
    lasts: timedelta
    token: uuid.UUID = field(default_factory=uuid.uuid4)

    def keep(self, **fields: Any) -> None:
        """Renew the lease and write `fields`. Raises Lost."""
        self._write(claimed_until=from_now(self.lasts), **fields)

    def release(self, **fields: Any) -> None:
        """Give the row back and write `fields`. Raises Lost."""
        self._write(**{**FREE, **fields})

    def hold(self) -> None:
        """Lock the row until the transaction ends, so that this worker keeps the lease until
        then. Raises Lost."""
        if not self._held().select_for_update(no_key=True).exists():
            raise Lost

    def _write(self, **fields: Any) -> None:
        if not self._held().update(**fields):
            raise Lost
        self.note(fields)

    def note(self, fields: Mapping[str, Any]) -> None:
        """Note in `row` what was written, except what the database computes."""
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self.row, name, value)

    def _held(self) -> QuerySet[Row]:
        model = type(self.row)
        return model._base_manager.filter(pk=self.row.pk, claim=self.token)


@transaction.atomic
def take(rows: QuerySet[Row], lasts: timedelta, **fields: Any) -> Lease[Row] | None:
    """Take the first of `rows` that nobody holds, and write `fields`. Return None if there is
    none. Rows that are locked at this moment are skipped."""
    row = rows.filter(free()).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    if row is None:
        return None
    lease = Lease(row, lasts)
    # One statement: a second one would check the foreign keys of the row again, and so wait for
    # whoever has locked what they point to and waits for this row.
    fields = {"claim": lease.token, "claimed_until": from_now(lasts), **fields}
    type(row)._base_manager.filter(pk=row.pk).update(**fields)
    lease.note(fields)
    return lease
