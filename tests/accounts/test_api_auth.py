"""Signing in to the API and signing out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from knox.models import AuthToken
from rest_framework.test import APIClient

from gallery.accounts.tokens import sign_in
from tests.api_tools import code_of
from tests.conftest import upload

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"
ME = "/api/v1/auth/me/"
PASSWORD = "correct horse battery"


@pytest.fixture
def anna(django_user_model):
    return django_user_model.objects.create_user("anna", "anna@example.com", PASSWORD)


@pytest.fixture
def login():
    def post(username="anna", password=PASSWORD):
        return APIClient().post(LOGIN, {"username": username, "password": password})

    return post


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_login_answers_with_a_token_and_its_expiry_alone(anna, login, settings):
    answer = login()
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expiry"}
    left = parse_datetime(answer.json()["expiry"]) - timezone.now()
    assert timedelta(minutes=-1) < left - settings.REST_KNOX["TOKEN_TTL"] <= timedelta(0)
    me = with_token(answer.json()["token"]).get(ME)
    assert (me.status_code, me.json()) == (200, {"id": anna.pk, "username": "anna"})


def test_the_e_mail_address_signs_in_too(anna, login):
    assert login(username="anna@example.com").status_code == 200


def test_a_refused_login_does_not_tell_why(anna, login):
    wrong_password = login(password="wrong")
    unknown_user = login(username="nobody")
    anna.is_active = False
    anna.save()
    inactive = login()
    for answer in (wrong_password, unknown_user, inactive):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Token"
        assert answer.json() == wrong_password.json()
        assert code_of(answer) == "wrong_credentials"


@pytest.mark.parametrize(
    ("body", "attrs"),
    [
        ({}, {"username", "password"}),
        ({"username": "", "password": ""}, {"username", "password"}),
        ({"username": "anna", "password": "x" * 1001}, {"password"}),
        ({"username": "an\x00na", "password": "x"}, {"username"}),
        ({"username": ["anna"], "password": {}}, {"username", "password"}),
    ],
)
def test_a_login_without_usable_fields_names_them(body, attrs):
    answer = APIClient().post(LOGIN, body)
    assert answer.status_code == 400
    assert {error["attr"] for error in answer.json()["errors"]} == attrs


def test_a_stale_token_does_not_prevent_a_new_login(anna, login):
    client = with_token("0" * 64)
    answer = client.post(LOGIN, {"username": "anna", "password": PASSWORD})
    assert answer.status_code == 200


def test_logging_out_ends_this_token_alone(anna, login):
    kept, ended = login().json()["token"], login().json()["token"]
    answer = with_token(ended).post("/api/v1/auth/logout/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert with_token(ended).get(ME).status_code == 401
    assert with_token(kept).get(ME).status_code == 200


def test_logging_out_everywhere_ends_all_tokens_of_the_account_alone(anna, bob, login):
    tokens = [login().json()["token"] for _ in range(2)]
    _, of_bob = sign_in(bob)
    assert with_token(tokens[0]).post("/api/v1/auth/logoutall/").status_code == 204
    assert [with_token(token).get(ME).status_code for token in tokens] == [401, 401]
    assert with_token(of_bob).get(ME).status_code == 200


def test_an_expired_token_is_refused_and_goes_at_the_next_login(anna, login):
    _, token = sign_in(anna)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    answer = with_token(token).get(ME)
    assert (answer.status_code, code_of(answer)) == (401, "invalid_token")
    login()
    assert AuthToken.objects.filter(user=anna).count() == 1


def test_a_token_dies_with_its_account(anna, login):
    token = login().json()["token"]
    anna.is_active = False
    anna.save()
    assert with_token(token).get(ME).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token  ",
        "Token not-hexadecimal",
        "Token " + "0" * 64,
        "Token " + "0" * 65,
        "Token " + "0" * 100_000,
        "Token 0 0",
        "Token \x00" + "0" * 63,
        "Token é" + "0" * 63,
    ],
)
def test_an_unknown_or_malformed_token_is_401(db, header):
    answer = APIClient().get("/api/v1/images/", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_token_costs_one_query_however_many_there_are(anna, django_assert_num_queries):
    for _ in range(5):
        _, token = sign_in(anna)
    with django_assert_num_queries(1):
        with_token(token).get(ME)


def test_me_and_logout_are_401_for_the_anonymous(db):
    assert APIClient().get(ME).status_code == 401
    assert APIClient().post("/api/v1/auth/logout/").status_code == 401
    assert APIClient().post("/api/v1/auth/logoutall/").status_code == 401


# --- The session of the pages ---------------------------------------------------


def test_the_session_of_the_pages_signs_in(alice):
    client = APIClient()
    client.force_login(alice)
    assert client.get(ME).json()["username"] == "alice"


def test_a_session_writes_only_with_the_csrf_token(alice):
    image = upload(alice)
    address = f"/api/v1/images/{image.pk}/"
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)

    refused = client.patch(address, {"title": "New"})
    assert (refused.status_code, code_of(refused)) == (403, "csrf_failed")

    client.cookies["csrftoken"] = token = "a" * 32
    assert client.patch(address, {"title": "New"}, HTTP_X_CSRFTOKEN=token).status_code == 200


# --- Throttles ------------------------------------------------------------------


@pytest.fixture
def rates(settings):
    """Sets the rates of some scopes (gallery.rate_limits)."""

    def replace(**rates: str) -> None:
        settings.LIMITS = {**settings.LIMITS, **rates}

    return replace


def assert_throttled(answer) -> None:
    assert answer.status_code == 429
    assert code_of(answer) == "throttled"
    assert 1 <= int(answer.headers["Retry-After"]) <= 86400


def test_logins_are_limited_by_address(anna, login, rates):
    rates(login="2/day")
    assert [login(password="wrong").status_code for _ in range(2)] == [401, 401]
    assert_throttled(login())
    elsewhere = APIClient(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post(LOGIN, {"username": "anna", "password": PASSWORD}).status_code == 200


def test_a_client_cannot_write_its_own_address(anna, rates):
    rates(login="1/day")
    answers = [
        APIClient().post(LOGIN, {"username": "anna", "password": "x"}, HTTP_X_FORWARDED_FOR=address)
        for address in ("192.0.2.1", "192.0.2.2")
    ]
    assert [answer.status_code for answer in answers] == [401, 429]
