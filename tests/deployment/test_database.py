"""A kept connection is known to be open, and a closed one is replaced."""

from __future__ import annotations

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection
from django.db.backends.postgresql import base

from tests.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def _ask() -> int:
    """Ask as a request does. Return the number of the process that answers."""
    connection.close_if_unusable_or_obsolete()
    connection.health_check_enabled = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


@pytest.fixture(autouse=True)
def fresh_connection(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new connection. One that is too old is replaced anyway, and the browser's tests keep none
    (CONN_MAX_AGE)."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    connection.close()


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The list grows if Django asks the server whether the connection is open. No log of queries
    shows that."""
    asked: list[str] = []
    ask = base.DatabaseWrapper.is_usable

    def noted(self: base.DatabaseWrapper) -> bool:
        asked.append("SELECT 1")
        return bool(ask(self))

    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", noted)
    return asked


def test_an_open_connection_is_not_asked_whether_it_is(questions: list[str]) -> None:
    first = _ask()
    assert _ask() == first
    assert not questions


def test_after_an_error_the_server_is_asked(questions: list[str]) -> None:
    first = _ask()
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("SELECT nothing_of_this_name")
    assert _ask() == first
    assert len(questions) == 1


def test_a_connection_that_the_server_ended_is_replaced() -> None:
    first = _ask()
    other = settings.DATABASES["default"]
    with psycopg.connect(
        host=other["HOST"],
        port=other["PORT"],
        user=other["USER"],
        password=other["PASSWORD"],
        dbname=connection.settings_dict["NAME"],
        autocommit=True,
    ) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", [first])
        gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"
        wait_for(lambda: killer.execute(gone, [first]).fetchone() == (True,), what="it has ended")
    assert _ask() != first
