"""Statements that PostgreSQL plans once for each connection, not each time it is asked.

For the few of every search whose planning takes longer than their reading, and whose best
plan is the same whatever is asked. Django writes parameters into the text of a statement,
which leaves no plan to keep; here they travel apart. `prepare_threshold` and
`plan_cache_mode` in the settings say that plans are kept from the first time on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.base import ModelState
from pgvector import HalfVector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper
from psycopg.types.datetime import TimestamptzLoader

# As a parameter that travels apart a vector is 1 kB, and no text of 5 kB that is written and
# read. Its type is told by the cast around it.
psycopg.adapters.register_dumper(HalfVector, HalfVectorBinaryDumper)

M = TypeVar("M", bound=models.Model)


def instances(model: type[M], statement: str, params: Sequence[Any] = ()) -> list[M]:
    """The rows of `statement` as instances of `model`: it selects `columns`, and what else
    it selects behind them becomes attributes of these names."""
    with _cursor() as cursor:
        cursor.execute(statement, params)
        result = cursor.pgresult
        # Not of `description`, which looks the types of all columns up.
        layout = _Layout.of(model, tuple(map(result.fname, range(result.nfields))))
        return layout.instances(cursor.fetchall())


def rows(
    statement: str, params: Sequence[Any], settings: Mapping[str, object], *, plan_lasts: bool
) -> list[tuple[Any, ...]]:
    """The rows of `statement` under `settings` of PostgreSQL, which end with it. Without
    `plan_lasts` it is planned for these `params`."""
    if not plan_lasts:
        settings = {**settings, "plan_cache_mode": "force_custom_plan"}
    configured = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    values = [str(text) for setting in settings.items() for text in setting]
    with settings_ending(), _cursor() as setting, _cursor() as cursor:
        # Sent together, in one implicit transaction.
        with connection.wrap_database_errors, connection.connection.pipeline():
            setting.execute(f"SELECT {configured}", values)
            cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def settings_ending() -> Iterator[None]:
    """For a message that sets something for its transaction and then only reads. That is the
    message alone, unless one is open: then what is set ends with a savepoint."""
    savepoint = transaction.savepoint() if connection.in_atomic_block else None
    try:
        yield
    finally:
        if savepoint is not None:
            transaction.savepoint_rollback(savepoint)


@contextmanager
def _cursor() -> Iterator[Any]:
    # Each look at `connection` asks which one is this thread's.
    opened = connections[connection.alias]
    opened.close_if_health_check_failed()
    opened.ensure_connection()
    wrapped = opened.make_debug_cursor if opened.queries_logged else opened.make_cursor
    # Django's stubs do not know what this cursor is made of.
    with wrapped(ServerBindingCursor(opened.connection)) as cursor:  # type: ignore[call-arg,arg-type]
        # Django reads times in Python, which is a tenth of a list; psycopg does so in C.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        yield cursor


@cache
def columns(model: type[models.Model], table: str, without: Iterable[str] = ()) -> str:
    """Those of all fields of `model`, of what the statement calls `table`. Fields that are
    left out are loaded when they are asked for."""
    fields = [field for field in model._meta.concrete_fields if field.name not in without]
    return ", ".join(f'{table}."{field.column}"' for field in fields)


class _Layout:
    """Where the fields of a model and other values stand in a row."""

    def __init__(self, model: type[models.Model], columns: tuple[bytes, ...]) -> None:
        names = [column.decode() for column in columns]
        self.model = model
        fields = [field for field in model._meta.concrete_fields if field.column in names]
        if names[: len(fields)] != [field.column for field in fields]:
            raise ValueError("The fields come first, in the order of the model.")
        self.attributes = [*(field.attname for field in fields), *names[len(fields) :]]
        # What the model holds in another form than the database sends.
        self.converted: list[tuple[str, Callable[..., Any]]] = [
            (field.attname, convert)
            for field in fields
            for convert in field.get_db_converters(connection)
        ]

    @classmethod
    @cache
    def of(cls, model: type[models.Model], columns: tuple[bytes, ...]) -> _Layout:
        return cls(model, columns)

    def instances(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """As the model's `from_db` makes them, but without its constructor, as Django makes
        those that were pickled: it goes through all fields of each, also those left out.
        Nobody listens to the signals that it sends."""
        # Looked up once: it is another one for each thread, which takes its time.
        opened = connections[connection.alias]
        return [self._instance(row, opened) for row in rows]

    def _instance(self, row: Sequence[Any], opened: BaseDatabaseWrapper) -> Any:
        instance = self.model.__new__(self.model)
        values = vars(instance)
        values.update(zip(self.attributes, row, strict=True))
        for attribute, convert in self.converted:
            values[attribute] = convert(values[attribute], None, opened)
        instance._state = state = ModelState()
        state.db, state.adding = opened.alias, False
        return instance
