"""Prepared statements, which PostgreSQL plans once for each connection.

They serve the few statements of every search that take longer to plan than to run, and whose
best plan does not depend on the parameters. Django writes parameters into the text of a
statement, so no plan can be reused; here parameters are bound on the server. With
`prepare_threshold` and `plan_cache_mode` in the settings, plans are kept from the first
execution on.
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
from pgvector import HalfVector, Vector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper
from pgvector.psycopg.vector import VectorBinaryDumper
from psycopg.types.datetime import TimestamptzLoader

# As a binary parameter a vector takes 1 kB, as text 5 kB that must be written and parsed. The
# cast around the parameter gives its type.
psycopg.adapters.register_dumper(HalfVector, HalfVectorBinaryDumper)
psycopg.adapters.register_dumper(Vector, VectorBinaryDumper)

M = TypeVar("M", bound=models.Model)


def instances(model: type[M], statement: str, params: Sequence[Any] = ()) -> list[M]:
    """Return the rows of `statement` as instances of `model`. The statement selects `columns`
    first; all further columns become attributes of the same names."""
    with _cursor() as cursor:
        cursor.execute(statement, params)
        result = cursor.pgresult
        # `description` would look up the types of all columns.
        layout = _Layout.of(model, tuple(map(result.fname, range(result.nfields))))
        return layout.instances(cursor.fetchall())


def rows(
    statement: str, params: Sequence[Any], settings: Mapping[str, object], *, plan_lasts: bool
) -> list[tuple[Any, ...]]:
    """Return the rows of `statement`, run with these `settings` of PostgreSQL for it alone.
    Without `plan_lasts`, PostgreSQL plans it for these `params`."""
    if not plan_lasts:
        settings = {**settings, "plan_cache_mode": "force_custom_plan"}
    configured = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    values = [str(text) for setting in settings.items() for text in setting]
    with settings_ending(), _cursor() as setting, _cursor() as cursor:
        # Both are sent together, in one implicit transaction.
        with connection.wrap_database_errors, connection.connection.pipeline():
            setting.execute(f"SELECT {configured}", values)
            cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def settings_ending() -> Iterator[None]:
    """Limit the settings of a block that otherwise only reads to this block. Without an open
    transaction, the block's message to PostgreSQL is its own transaction. In an open one, the
    rollback of a savepoint ends the settings."""
    savepoint = transaction.savepoint() if connection.in_atomic_block else None
    try:
        yield
    finally:
        if savepoint is not None:
            transaction.savepoint_rollback(savepoint)


@contextmanager
def _cursor() -> Iterator[Any]:
    # Each access to `connection` looks up the connection of this thread.
    opened = connections[connection.alias]
    opened.close_if_health_check_failed()
    opened.ensure_connection()
    wrapped = opened.make_debug_cursor if opened.queries_logged else opened.make_cursor
    # Django's stubs do not know the arguments of this cursor.
    with wrapped(ServerBindingCursor(opened.connection)) as cursor:  # type: ignore[call-arg,arg-type]
        # Django parses times in Python, which takes a tenth of the time of a list; psycopg
        # does so in C.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        yield cursor


@cache
def columns(model: type[models.Model], table: str, without: Iterable[str] = ()) -> str:
    """Return the columns of all fields of `model` except `without`, qualified by `table`. The
    excluded fields are loaded on access."""
    fields = [field for field in model._meta.concrete_fields if field.name not in without]
    return ", ".join(f'{table}."{field.column}"' for field in fields)


class _Layout:
    """The positions of a model's fields and other values in a row."""

    def __init__(self, model: type[models.Model], columns: tuple[bytes, ...]) -> None:
        names = [column.decode() for column in columns]
        self.model = model
        fields = [field for field in model._meta.concrete_fields if field.column in names]
        if names[: len(fields)] != [field.column for field in fields]:
            raise ValueError("The fields come first, in the order of the model.")
        self.attributes = [*(field.attname for field in fields), *names[len(fields) :]]
        # Fields whose values differ from what the database sends.
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
        """Make instances like the model's `from_db`, but without its constructor, as Django
        does for pickled ones: the constructor goes through all fields, also deferred ones.
        Nothing listens to the signals that it would send."""
        # This is a slow lookup of the thread's connection, so it happens once.
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
