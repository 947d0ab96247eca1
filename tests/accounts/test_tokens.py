"""API tokens: their rights, their lifetime, and who may create them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from gallery.accounts import tokens
from gallery.errors import Refusal
from gallery.models import ApiToken, User
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.web_tools import browser, confirmed

pytestmark = pytest.mark.django_db

TOKENS = "/api/v1/account/tokens/"
ME = "/api/v1/auth/me/"
PASSWORD = {"password": "alice-password"}


def client_with(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def issue(user: User, scope: str = "read", days: int | None = None) -> tuple[ApiToken, APIClient]:
    described, secret = tokens.issue(user, "Script", scope, days)
    return described, client_with(secret)


def by_session(user: User) -> APIClient:
    """Return a client right after the password was confirmed."""
    client = APIClient()
    client.force_login(user)
    again = {"password": f"{user.username}-password"}
    assert (
        client.post(reverse("account_reauthenticate"), again, format="multipart").status_code == 302
    )
    return client


# --- What a token may do ------------------------------------------------------------


def test_a_token_that_may_only_read_reads(alice: User) -> None:
    image = upload(alice)
    _described, client = issue(alice, "read")
    assert client.get(ME).json()["username"] == "alice"
    assert client.get(f"/api/v1/images/{image.pk}/").json()["is_owner"]
    assert client.get(f"/api/v1/images/{image.pk}/file/").status_code == 200


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", "/api/v1/images/"),
        ("patch", "/api/v1/images/{id}/"),
        ("delete", "/api/v1/images/{id}/"),
        ("post", "/api/v1/images/{id}/retry/"),
        ("patch", "/api/v1/account/"),
        ("delete", "/api/v1/account/"),
        ("post", "/api/v1/account/tokens/"),
        ("post", "/api/v1/auth/logoutall/"),
    ],
)
def test_a_token_that_may_only_read_changes_nothing(alice: User, method: str, address: str) -> None:
    image = upload(alice)
    _described, client = issue(alice, "read")
    answer = getattr(client, method)(address.format(id=image.pk), PASSWORD)
    assert (answer.status_code, code_of(answer)) == (403, "read_only_token")
    alice.refresh_from_db()
    image.refresh_from_db()
    assert (alice.is_active, image.deleted_at) == (True, None)


@pytest.mark.parametrize(
    "address",
    ["search/", "search/parse/", "search/pictures/", "classify/", "images/{id}/classify/"],
)
def test_questions_are_no_changes(alice: User, address: str) -> None:
    """They reach their own checks of the input."""
    image = upload(alice)
    _described, client = issue(alice, "read")
    answer = client.post(f"/api/v1/{address.format(id=image.pk)}", {})
    assert answer.status_code in (400, 415)


def test_a_named_token_ends_the_others_with_the_password_alone(alice: User) -> None:
    _described, client = issue(alice, "write")
    _other, kept = issue(alice, "write")
    for body in ({}, {"password": "wrong"}):
        answer = client.post("/api/v1/auth/logoutall/", body)
        assert (answer.status_code, code_of(answer)) in [
            (403, "password_required"),
            (400, "password_required"),
            (400, "wrong_password"),
            (403, "wrong_password"),
        ]
        assert kept.get(ME).status_code == 200
    assert client.post("/api/v1/auth/logoutall/", PASSWORD).status_code == 204
    assert [each.get(ME).status_code for each in (client, kept)] == [401, 401]


def test_a_token_that_may_write_writes(alice: User) -> None:
    image = upload(alice)
    _described, client = issue(alice, "write")
    assert client.patch(f"/api/v1/images/{image.pk}/", {"title": "New"}).status_code == 200


def test_a_token_of_one_account_is_nothing_to_another(alice: User, bob: User) -> None:
    image = upload(bob)
    described, client = issue(alice, "write")
    assert client.get(f"/api/v1/images/{image.pk}/").status_code == 404
    assert by_session(bob).delete(f"{TOKENS}{described.pk}/").status_code == 404
    assert client.get(ME).status_code == 200
    assert by_session(bob).get(TOKENS).json() == []


# --- For how long -------------------------------------------------------------------


def test_a_token_may_live_until_it_is_revoked(alice: User) -> None:
    described, client = issue(alice, days=None)
    assert described.token.expiry is None
    assert client.get(ME).status_code == 200
    assert by_session(alice).delete(f"{TOKENS}{described.pk}/").status_code == 204
    assert client.get(ME).status_code == 401


def test_a_token_expires(alice: User) -> None:
    described, client = issue(alice, days=1)
    assert client.get(ME).status_code == 200
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get(ME).status_code == 401
    described.refresh_from_db()
    assert tokens.has_expired(described)
    assert [row["id"] for row in by_session(alice).get(TOKENS).json()] == [str(described.pk)]


def test_the_last_use_is_noted_at_most_once_a_minute(
    alice: User, django_assert_num_queries: Any
) -> None:
    described, client = issue(alice)
    assert by_session(alice).get(TOKENS).json()[0]["last_used_at"] is None
    client.get(ME)
    described.refresh_from_db()
    first = described.last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        client.get(ME)
    described.refresh_from_db()
    assert described.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    client.get(ME)
    described.refresh_from_db()
    assert described.last_used_at > first - timedelta(minutes=1)


def test_tokens_die_with_the_account(alice: User) -> None:
    _described, client = issue(alice, "write")
    alice.is_active = False
    alice.save()
    assert client.get(ME).status_code == 401


# --- Who hands them out -------------------------------------------------------------


def test_the_secret_is_shown_once(alice: User) -> None:
    client = by_session(alice)
    body = {"name": "  Backup   script ", "scope": "read", "expires_in_days": 7}
    answer = client.post(TOKENS, body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["scope"]) == ("Backup script", "read")
    assert client_with(made["token"]).get(ME).status_code == 200
    (listed,) = client.get(TOKENS).json()
    assert "token" not in listed
    assert made["token"] not in client.get(TOKENS).content.decode()
    assert not AuthToken.objects.filter(digest=made["token"]).exists()


def test_with_a_token_the_password_is_needed(alice: User) -> None:
    body = {"name": "Another", "scope": "write"}
    client = api(alice)
    missing = client.post(TOKENS, body)
    assert (missing.status_code, code_of(missing)) == (400, "password_required")
    wrong = client.post(TOKENS, {**body, "password": "guess"})
    assert (wrong.status_code, code_of(wrong)) == (400, "wrong_password")
    assert ApiToken.objects.count() == 0
    assert client.post(TOKENS, {**body, **PASSWORD}).status_code == 201
    described = ApiToken.objects.get()
    assert client.delete(f"{TOKENS}{described.pk}/").status_code == 400
    assert client.delete(f"{TOKENS}{described.pk}/", PASSWORD).status_code == 204


def test_passwords_are_not_guessed_with_a_stolen_token(alice: User) -> None:
    client = api(alice)
    body = {"name": "Mine", "scope": "write"}
    codes = {code_of(client.post(TOKENS, {**body, "password": str(n)})) for n in range(8)}
    assert codes == {"wrong_password", "too_many_tries"}
    late = client.post(TOKENS, {**body, **PASSWORD})
    assert code_of(late) == "too_many_tries"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "read"}, "name"),
        ({"name": " ", "scope": "read"}, "name"),
        ({"name": "x" * 101, "scope": "read"}, "name"),
        ({"name": "a\x00b", "scope": "read"}, "name"),
        ({"name": "Mine", "scope": "all"}, "scope"),
        ({"name": "Mine", "scope": "read", "expires_in_days": 0}, "expires_in_days"),
        ({"name": "Mine", "scope": "read", "expires_in_days": 9999999}, "expires_in_days"),
    ],
)
def test_bad_input_names_the_field(alice: User, body: dict[str, Any], field: str) -> None:
    answer = by_session(alice).post(TOKENS, body)
    assert answer.status_code == 400
    assert {error["attr"] for error in answer.json()["errors"]} == {field}


def test_there_is_a_bound(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    issue(alice)
    with pytest.raises(Refusal, match="revoke one first"):
        issue(alice)


def test_strangers_get_nothing(db: None) -> None:
    assert api().get(TOKENS).status_code == 401
    assert api().post(TOKENS, {"name": "x", "scope": "read"}).status_code == 401


# --- The page -----------------------------------------------------------------------


def test_the_page_shows_the_secret_in_one_answer_alone(alice: User) -> None:
    client = confirmed(alice)
    page = client.post(reverse("account_tokens"), {"name": "Phone", "scope": "write", "days": "30"})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert client_with(secret).get(ME).status_code == 200
    assert secret not in client.get(reverse("account_tokens")).content.decode()


def test_the_page_revokes_own_tokens_alone(alice: User, bob: User) -> None:
    described, client = issue(alice)
    revoke = reverse("account_token_revoke", args=[described.pk])
    assert confirmed(bob).post(revoke).status_code == 404
    assert client.get(ME).status_code == 200
    assert confirmed(alice).post(revoke).url == reverse("account_tokens")
    assert client.get(ME).status_code == 401


def test_programs_that_signed_in_are_counted_and_ended(alice: User, bob: User) -> None:
    mine, others = api(alice), api(bob)
    _described, named = issue(alice)
    assert "1 program signed in" in browser(alice).get(reverse("account_tokens")).content.decode()
    confirmed(alice).post(reverse("account_tokens_end"))
    statuses = [client.get(ME).status_code for client in (mine, named, others)]
    assert statuses == [401, 200, 200]
