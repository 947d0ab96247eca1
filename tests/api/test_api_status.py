"""The state of the site for load balancers and operators."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection
from django.urls import resolve
from rest_framework.test import APIClient

from clipsite import __version__
from gallery.api.views import status as views
from gallery.status import PartStatus
from tests.api_tools import with_worker
from tests.conftest import wait_for

PARTS = ["database", "broker", "worker", "space"]


def parts(**states: bool) -> dict[str, PartStatus]:
    """Return all parts, all well except the given ones."""
    return {
        name: PartStatus(ok, "ok" if ok else "down", "" if ok else "Does not answer.")
        for name in PARTS
        for ok in [states.get(name, True)]
    }


def test_the_root_tells_everybody_what_answers():
    """It needs neither an account nor the database."""
    answer = APIClient().get("/api/v1/")
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["name", "version", "links"]
    assert (body["name"], body["version"]) == ("Clipsite", __version__)
    assert list(body["links"]) == ["docs", "schema", "health", "ready"]
    for name, link in body["links"].items():
        assert link.startswith("http://testserver/api/")
        assert resolve(urlsplit(link).path).url_name == name


def test_health_needs_no_database():
    """Without the django_db mark pytest-django refuses every database access."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token " + "0" * 64)
    client.cookies["sessionid"] = "0" * 32
    answer = client.get("/api/v1/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_when_every_part_is(monkeypatch):
    monkeypatch.setattr(views, "readiness", parts)
    answer = APIClient().get("/api/v1/ready/")
    assert answer.status_code == 200
    assert list(answer.json()) == PARTS
    assert answer.json()["worker"] == {"ok": True, "state": "ok", "detail": ""}


@pytest.mark.parametrize("part", PARTS)
def test_one_part_down_is_503_and_names_it(monkeypatch, part):
    monkeypatch.setattr(views, "readiness", lambda: parts(**{part: False}))
    answer = APIClient().get("/api/v1/ready/")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert [name for name, state in answer.json().items() if not state["ok"]] == [part]


@pytest.mark.django_db
def test_ready_reports_a_database_that_is_down(monkeypatch):
    def refuse(*args, **kwargs):
        raise DatabaseError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = APIClient().get("/api/v1/ready/")
    assert answer.status_code == 503
    assert not answer.json()["database"]["ok"]


@with_worker
def test_ready_with_a_real_worker(encoder_worker):
    wait_for(lambda: APIClient().get("/api/v1/ready/").status_code == 200)
