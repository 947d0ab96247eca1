"""Keyset pagination: the next page begins after a (value, key), not at an offset. So no row is
repeated or skipped when others are added meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from gallery.errors import Refusal

Row = TypeVar("Row", bound=Model)

_BIGGEST_KEY = 2**63 - 1


def _moment(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError("a time without its zone")
    # PostgreSQL knows fewer offsets than Python.
    return when.astimezone(UTC)


def _clock(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is not None:
        raise ValueError("a time on the spot has no zone")
    return when


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a position in an order")
    return number


def _words(text: str) -> str:
    text.encode()  # raises for halves of surrogate pairs
    if "\x00" in text:
        raise ValueError("PostgreSQL has no such character")
    return text


def _row_number(text: str) -> int:
    number = int(text)
    if abs(number) > _BIGGEST_KEY:
        raise ValueError("larger than any key")
    return number


@dataclass(frozen=True)
class Order:
    """The order of a list: by `field`, and for equal values by the unique `key`.

    Both are fields or annotations of the row. `read` and `read_key` parse their values from a
    cursor and raise ValueError or OverflowError.
    """

    field: str
    key: str = "pk"
    descending: bool = True
    read: Callable[[str], Any] = _moment
    read_key: Callable[[str], Any] = UUID

    def after(self, value: Any, key: Any) -> Q:
        """A condition for the rows after this position. PostgreSQL uses its first part for the
        index search."""
        beyond = "lt" if self.descending else "gt"
        return Q(**{f"{self.field}__{beyond}e": value}) & (
            Q(**{f"{self.field}__{beyond}": value}) | Q(**{f"{self.key}__{beyond}": key})
        )

    def fields(self) -> list[str]:
        sign = "-" if self.descending else ""
        return [f"{sign}{self.field}", f"{sign}{self.key}"]

    def cursor(self, row: Model) -> str:
        return self.cursor_of(getattr(row, self.field), getattr(row, self.key))

    def cursor_of(self, value: Any, key: Any) -> str:
        text = value.isoformat() if isinstance(value, datetime) else value
        return f"{text}~{key}"

    def parse(self, cursor: str) -> tuple[Any, Any]:
        """Return the value and the key of a cursor. Raises Refusal (bad_cursor)."""
        try:
            value, _tilde, key = cursor.rpartition("~")
            return self.read(value), self.read_key(key)
        except (ValueError, OverflowError) as error:
            raise Refusal(
                "bad_cursor", _("This page is not known. Start again from the first one."), "cursor"
            ) from error


def newest_first(moment: str) -> Order:
    return Order(moment)


UPLOADED = newest_first("created_at")
# Times are local to where the pictures were taken.
TAKEN = Order("taken_at", read=_clock)
# For pictures annotated with their position in one album (gallery.organising.albums).
IN_ALBUM = Order("position", "item_id", descending=False, read=_number, read_key=_row_number)
# For pictures by the probability of a category (gallery.labels.reading).
BY_PROBABILITY = Order("probability", read=_number)
# For rows annotated with their name in lower case.
BY_NAME = Order("name_key", descending=False, read=_words)


def page(
    rows: QuerySet[Row],
    after: str | None,
    size: int,
    moment: str = "created_at",
    order: Order | None = None,
) -> tuple[list[Row], str | None]:
    """Return at most `size` rows after the cursor `after`, and the cursor of the next page
    (None on the last page). The order is `order`, or newest first by `moment`.

    Raises Refusal (bad_cursor).
    """
    order = order or newest_first(moment)
    if after:
        rows = rows.filter(order.after(*order.parse(after)))
    found = list(rows.order_by(*order.fields())[: size + 1])
    if len(found) <= size:
        return found, None
    return found[:size], order.cursor(found[size - 1])
