"""Nobody stores the answers to a session or a token."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from gallery.models import User
from tests.conftest import api, upload
from tests.web_tools import HTMX, browser, fake_encoder

PASSWORD = "alice-password"


def assert_private(answer: Any, what: str = "") -> None:
    said = {word.strip() for word in answer.headers.get("Cache-Control", "").split(",")}
    assert "private" in said, (what, said)
    assert "public" not in said, (what, said)


def assert_unstored(answer: Any, what: str = "") -> None:
    assert_private(answer, what)
    assert "no-store" in answer.headers["Cache-Control"], what


PAGES = [
    *("/", "/search/", "/search/?q=red", "/search/complete/?q=ta", "/timeline/", "/albums/"),
    *("/recent/", "/recent/?scope=mine"),
    *("/upload/", "/account/", "/account/tokens/", "/trash/", "/links/", "/groups/", "/explore/"),
    *("/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/admin/"),
    *("/accounts/login/", "/nothing/", "/images/00000000-0000-0000-0000-000000000000/"),
    *("/api/v1/images/", "/api/v1/auth/me/", "/api/v1/nothing/", "/api/v1/search/?q=red"),
    *("/api/v1/search/", "/api/schema/", "/api/docs/", "/api/v1/health/", "/search/pictures/x/"),
    "/about",
]


@pytest.mark.parametrize("address", PAGES)
def test_nothing_that_a_session_opens_is_stored(
    alice: User, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    fake_encoder(monkeypatch)
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client = browser(alice)
    for headers in ({}, HTMX):
        assert_unstored(client.get(address, headers=headers), address)
    assert_unstored(client.post(address, {}), address)


@pytest.mark.parametrize("address", [one for one in PAGES if one.startswith("/api/")])
def test_nothing_that_a_token_opens_is_stored(
    alice: User, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    fake_encoder(monkeypatch)
    client = api(alice)
    client.raise_request_exception = False
    for answer in (client.get(address), client.post(address, {}), client.delete(address)):
        assert_unstored(answer, address)


def test_answers_that_give_a_session_are_not_stored(alice: User) -> None:
    answer = Client().post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer.cookies
    assert_unstored(answer)
    wrong = Client().get("/", headers={"Authorization": "Token nonsense"})
    assert_unstored(wrong)


def test_a_server_error_is_not_stored(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("gallery.web.lists.browse.PictureList", broken)
    answer = browser(alice).get("/")
    assert answer.status_code == 500
    assert_unstored(answer)


def test_pictures_are_kept_by_the_browser_alone(alice: User, media: Any) -> None:
    image = upload(alice, visibility="public")
    for client in (api(alice), browser(alice)):
        for what in ("file", "thumbnail"):
            first = client.get(f"/api/v1/images/{image.pk}/{what}/")
            assert first.status_code == 200
            assert first.headers["Cache-Control"] == "private, no-cache"
            again = client.get(
                f"/api/v1/images/{image.pk}/{what}/", headers={"If-None-Match": first["ETag"]}
            )
            assert again.status_code == 304
            assert_private(again)


def test_what_is_the_same_for_all_may_be_kept(db: None) -> None:
    """The answers go to a visitor without a cookie; style sheets are for everybody."""
    assert "no-store" not in Client().get("/api/v1/images/").headers.get("Cache-Control", "")
