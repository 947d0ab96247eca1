"""Error pages have our style, offer a way on, and do not use the broken part."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.urls import reverse

from gallery import keyset
from gallery.errors import Unavailable
from gallery.indexing import selectors
from gallery.models import User
from gallery.web import errors
from tests.web_tools import HTMX, browser

pytestmark = pytest.mark.django_db


def failing(error: Exception) -> Any:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


def test_an_unknown_page(alice: User) -> None:
    response = browser(alice).get("/nowhere/")
    assert response.status_code == 404
    assert "Nothing is here" in response.content.decode()


def test_an_unknown_address_of_the_api_answers_in_json() -> None:
    body = browser().get("/api/v1/nowhere/").json()
    assert body["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_a_database_that_is_down(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(keyset, "page", failing(error))
    response = browser().get("/")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    page = response.content.decode()
    assert "Your pictures are safe" in page
    assert 'href="/"' in page


def test_the_page_for_a_broken_database_asks_it_nothing(
    monkeypatch: pytest.MonkeyPatch, alice: User, django_assert_num_queries: Any
) -> None:
    client = browser(alice)
    monkeypatch.setattr(selectors, "visible_to", failing(OperationalError("gone")))
    with django_assert_num_queries(2):  # the session and its user, before the failure
        assert client.get("/").status_code == 503


def test_a_database_that_is_gone_before_the_view_is_told_too(
    monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    client = browser(alice)
    monkeypatch.setattr(SessionStore, "load", failing(OperationalError("gone")))
    assert client.get("/").status_code == 503


def test_a_bug_is_no_blank_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "page", failing(ZeroDivisionError()))
    response = browser().get("/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_errors_come_in_the_language_of_the_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "page", failing(OperationalError("gone")))
    page = browser(language="zh-hans").get("/").content.decode()
    assert 'lang="zh-hans"' in page


def test_a_part_of_a_page_gets_an_alert_with_a_way_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyset, "page", failing(Unavailable("down", "Wait a little.", 7)))
    response = browser().get("/?after=x", headers=HTMX)
    assert response.status_code == 503
    assert response["Retry-After"] == "7"
    assert response["HX-Reswap"] == "innerHTML"
    alert = response.content.decode()
    assert "<html" not in alert
    assert "Wait a little." in alert
    assert 'hx-get="/?after=x"' in alert


def test_a_sentence_from_outside_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "page", failing(Unavailable("down", "<b>x</b>")))
    for headers in ({}, HTMX):
        assert "<b>x</b>" not in browser().get("/", headers=headers).content.decode()


def test_bad_request_and_forbidden(rf: Any, alice: User) -> None:
    for view, status in ((errors.bad_request, 400), (errors.permission_denied, 403)):
        request = rf.get("/api/v1/images/")
        assert view(request, Exception()).status_code == status


def test_data_has_the_policy_of_a_page_without_scripts_of_its_own(alice: User) -> None:
    client = browser(alice)
    of_a_page = client.get(reverse("upload"))["Content-Security-Policy"]
    without_scripts = re.sub(r" 'nonce-[^']+'", "", of_a_page)
    for address in ("/api/v1/health/", "/api/v1/images/", "/api/v1/nothing/"):
        assert client.get(address)["Content-Security-Policy"] == without_scripts


def test_pages_load_nothing_from_elsewhere(alice: User) -> None:
    response = browser(alice).get(reverse("upload"))
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'nonce-" in policy
