"""The second factor on pages and in the API. No way leads around it. Passkeys need a browser:
tests/browser/test_account.py."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from gallery.models import User
from tests.api_tools import code_of
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET) -> str:
    """Return the current code of the authenticator app. It is valid for some more seconds."""
    left = 30 - time.time() % 30
    if left < 3:
        time.sleep(left + 0.1)
    (counter,) = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


@pytest.fixture
def protected(alice: User) -> User:
    totp.TOTP.activate(alice, SECRET)
    RecoveryCodes.activate(alice)
    return alice


def recovery_codes(user: User) -> list[str]:
    found = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    codes: list[str] = found.wrap().get_unused_codes()
    return codes


def api_login(**changes: str) -> Any:
    body = {"username": "alice", "password": "alice-password", **changes}
    return APIClient().post(LOGIN, body)


def page_login(**changes: str) -> tuple[Client, Any]:
    client = browser()
    data = {"login": "alice", "password": "alice-password", **changes}
    return client, client.post(reverse("account_login"), data)


# --- The API ------------------------------------------------------------------------


def test_the_password_alone_is_not_enough(protected: User) -> None:
    answer = api_login()
    assert (answer.status_code, code_of(answer)) == (401, "mfa_required")
    assert answer["WWW-Authenticate"] == "Token"


def test_the_api_signs_in_with_a_code(protected: User) -> None:
    answer = api_login(otp=code())
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expiry"}


def test_a_code_works_once(protected: User) -> None:
    once = code()
    assert api_login(otp=once).status_code == 200
    assert code_of(api_login(otp=once)) == "wrong_otp"


def test_a_recovery_code_works_once(protected: User) -> None:
    first, second = recovery_codes(protected)[:2]
    assert api_login(otp=first).status_code == 200
    assert code_of(api_login(otp=first)) == "wrong_otp"
    assert api_login(otp=second).status_code == 200


def test_a_wrong_password_is_told_before_the_factor(protected: User) -> None:
    """Guesses do not reveal which accounts have a second factor."""
    answer = api_login(password="guess")
    assert code_of(answer) == "wrong_credentials"
    assert code_of(api_login(password="guess", otp=code())) == "wrong_credentials"


def test_codes_are_not_guessed(protected: User) -> None:
    right = code()
    wrong = [f"{number:06d}" for number in range(20) if f"{number:06d}" != right]
    for guess in wrong[:6]:
        assert code_of(api_login(otp=guess)) == "wrong_otp"
    assert code_of(api_login(otp=right)) == "wrong_otp"
    cache.delete_pattern("*")
    assert api_login(otp=code()).status_code == 200


def test_a_code_of_another_account_is_wrong(protected: User, bob: User) -> None:
    totp.TOTP.activate(bob, totp.generate_totp_secret())
    RecoveryCodes.activate(bob)
    assert code_of(api_login(otp=recovery_codes(bob)[0])) == "wrong_otp"
    body = {"username": "bob", "password": "bob-password", "otp": recovery_codes(bob)[0]}
    assert APIClient().post(LOGIN, body).status_code == 200


def test_accounts_without_a_factor_sign_in_as_before(alice: User) -> None:
    assert api_login().status_code == 200
    assert api_login(otp="123456").status_code == 200


@pytest.mark.parametrize("otp", ["", "x" * 21, "a\x00b", "１２３４５６"])
def test_bad_codes_are_no_server_errors(protected: User, otp: str) -> None:
    assert api_login(otp=otp).status_code in (400, 401)


def test_the_account_tells_whether_it_has_one(protected: User, bob: User) -> None:
    for user, has_one in ((protected, True), (bob, False)):
        client = APIClient()
        client.force_login(user)
        assert client.get("/api/v1/account/").json()["second_factor"] is has_one


# --- The pages ----------------------------------------------------------------------


def test_the_page_asks_for_the_code(protected: User) -> None:
    client, answer = page_login()
    assert answer.url == reverse("mfa_authenticate")
    assert client.get(reverse("account_home")).status_code == 302  # not signed in yet
    page = client.get(reverse("mfa_authenticate")).content.decode()
    assert "One more step" in page
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert 'class="errors"' in wrong.content.decode()
    assert client.post(reverse("mfa_authenticate"), {"code": code()}).url == reverse("home")
    assert client.get(reverse("account_home")).status_code == 200


def test_the_admin_has_no_door_of_its_own(db: None) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    totp.TOTP.activate(boss, SECRET)
    client = browser()
    data = {"username": "boss", "password": "boss-password", "next": "/admin/"}
    answer = client.post(reverse("admin:login"), data)
    assert answer.url.startswith(reverse("account_login"))
    assert client.get("/admin/").status_code == 302


def reauthenticated(user: User, password: str) -> Client:
    client = browser(user)
    client.post(reverse("account_reauthenticate"), {"password": password})
    return client


def test_set_up_the_app_and_turn_it_off(alice: User) -> None:
    client = browser(alice)
    setup = reverse("mfa_activate_totp")
    assert client.get(setup).url.startswith(reverse("account_reauthenticate"))
    client = reauthenticated(alice, "alice-password")
    form = client.get(setup)
    secret = form.context["form"].secret
    assert secret in form.content.decode()
    assert client.post(setup, {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()

    answer = client.post(setup, {"code": code(secret)}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
    assert all(f"<code>{one}</code>" in page for one in recovery_codes(alice))
    assert len(recovery_codes(alice)) == 10
    assert "10 codes are left." in client.get(reverse("mfa_index")).content.decode()

    assert page_login()[1].url == reverse("mfa_authenticate")
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert page_login()[1].url == reverse("home")


def test_new_recovery_codes_end_the_old_ones(protected: User) -> None:
    old = recovery_codes(protected)
    client = reauthenticated(protected, "alice-password")
    assert "stop working" in client.get(reverse("mfa_generate_recovery_codes")).content.decode()
    client.post(reverse("mfa_generate_recovery_codes"))
    assert not set(old) & set(recovery_codes(protected))
    assert code_of(api_login(otp=old[0])) == "wrong_otp"
    file = client.get(reverse("mfa_download_recovery_codes"))
    assert recovery_codes(protected)[0] in file.content.decode()


def test_nobody_touches_the_factor_of_another(protected: User, bob: User) -> None:
    client = reauthenticated(bob, "bob-password")
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 404
    page = client.get(reverse("mfa_view_recovery_codes"))
    assert page.status_code == 404
    assert Authenticator.objects.filter(user=protected).count() == 2


def test_protecting_the_account_needs_the_password_again(protected: User) -> None:
    client = browser(protected)
    for name in ("mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_add_webauthn"):
        for method in (client.get, client.post):
            answer = method(reverse(name))
            assert answer.status_code == 302, name
            assert answer.url.startswith(reverse("account_reauthenticate")), name
    assert Authenticator.objects.filter(user=protected).count() == 2
