"""Wrong passwords are counted together, for all ways to sign in."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.urls import reverse
from rest_framework.test import APIClient

from gallery.accounts import attempts
from gallery.models import User
from tests.accounts.test_credentials import NEW, reset_password
from tests.accounts.test_mfa import SECRET, code
from tests.api_tools import code_of
from tests.conftest import api
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"
TOKENS = "/api/v1/account/tokens/"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def by_api(login: str = "alice", password: str = "alice-password", address: str = HERE) -> Any:
    client = APIClient(REMOTE_ADDR=address)
    return client.post(LOGIN, {"username": login, "password": password})


def by_page(login: str = "alice", password: str = "alice-password", address: str = HERE) -> Any:
    client = browser()
    data = {"login": login, "password": password}
    return client.post(reverse("account_login"), data, REMOTE_ADDR=address)


def is_in(answer: Any) -> bool:
    """Return whether the API gave a token, or the page led on."""
    return answer.status_code in (200, 302) and b"<form" not in answer.content


def is_locked(answer: Any) -> bool:
    if answer["Content-Type"].startswith("application/json"):
        return (answer.status_code, code_of(answer)) == (429, "too_many_tries")
    return "Too many failed login attempts" in answer.content.decode()


def guess(count: int = 5, way: Any = by_api, **where: str) -> None:
    for number in range(count):
        assert not is_in(way(password=f"guess {number}", **where))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of the attempt counters. Tests move it."""

    moved = SimpleNamespace(now=time.time(), monotonic=time.monotonic, sleep=time.sleep)
    moved.time = lambda: moved.now
    monkeypatch.setattr(ratelimit, "time", moved)
    return moved


# --- One count for both ways --------------------------------------------------------


@pytest.mark.parametrize("tried", [by_api, by_page])
@pytest.mark.parametrize("then", [by_api, by_page])
def test_pages_and_api_lock_together(alice: User, tried: Any, then: Any) -> None:
    guess(5, tried)
    assert is_locked(then())
    assert is_locked(then(password="another guess"))  # nobody learns which of the two is right


def test_the_lock_ends(alice: User, clock: SimpleNamespace) -> None:
    guess()
    assert is_locked(by_api())
    clock.now += 301
    assert is_in(by_api())


def test_an_answer_says_when_to_try_again(alice: User) -> None:
    guess()
    answer = by_api()
    assert int(answer["Retry-After"]) == 300
    assert "Wait 5 min" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "names",
    [
        ["alice", "ALICE", "Alice", "alice@example.org", "Alice@Example.ORG"],
        ["alice@example.org", "alice", " alice ", "aLiCe", "ALICE@EXAMPLE.ORG"],
    ],
)
def test_every_name_of_an_account_counts_as_it(alice: User, names: list[str]) -> None:
    for name in names:
        assert not is_in(by_page(name, "guess"))
    assert is_locked(by_page())
    assert is_locked(by_api("alice@example.org"))


def test_addresses_of_an_account_beside_the_first_count_as_it(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="second@example.org", verified=True)
    guess(5, login="second@example.org")
    assert is_locked(by_api())


@pytest.mark.parametrize("name", ["Ｚoë", "zoë", "ZOË", "zoe\u0308"])
def test_names_that_nobody_has_are_locked_as_well(db: None, name: str) -> None:
    guess(5, login="zoë")
    assert is_locked(by_api(name))


def test_names_in_other_scripts(db: None) -> None:
    User.objects.create_user("Жанна", "zh@example.org", "жанна-пароль")
    for name in ("жанна", "ЖАННА", "Жанна", "жАННА", "zh@example.org"):
        assert not is_in(by_api(name, "guess"))
    assert is_locked(by_api("Жанна", "жанна-пароль"))


def test_accounts_are_locked_apart(alice: User, bob: User) -> None:
    guess()
    assert is_in(by_api("bob", "bob-password"))


def test_an_address_is_locked_for_all_accounts(alice: User, bob: User) -> None:
    for number in range(10):
        by_api(f"somebody-{number}", "guess")
    assert is_locked(by_api())
    assert is_in(by_api(address=ELSEWHERE))


def test_addresses_of_one_network_count_as_one(alice: User) -> None:
    for number in range(5):
        assert not is_in(by_api(password="guess", address=f"2001:db8::{number + 1}"))
    assert is_locked(by_api(address="2001:db8::ffff"))
    assert is_in(by_api(address="2001:db8:1::1"))


def test_right_passwords_do_not_count(alice: User) -> None:
    assert all(is_in(by_api()) for _ in range(12))


def test_a_right_password_frees_nobody_of_the_wrong_ones(alice: User) -> None:
    guess(4)
    assert is_in(by_api())
    guess(1)
    assert is_locked(by_api())


@pytest.fixture
def seven_of_a_crowd(settings: Any) -> None:
    fewer = {"login_failed_elsewhere": "7/h/key"}
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, **fewer}


# --- A crowd of strangers -----------------------------------------------------------


def test_a_crowd_is_stopped(alice: User, seven_of_a_crowd: None) -> None:
    for number in range(7):
        assert not is_in(by_api(password="guess", address=f"192.0.2.{number + 10}"))
    assert is_locked(by_api(address=ELSEWHERE))
    assert is_locked(by_page("alice@example.org", address="203.0.113.3"))


def test_a_crowd_does_not_keep_the_owner_out(alice: User, seven_of_a_crowd: None) -> None:
    assert is_in(by_page(address=HERE))
    for number in range(9):
        by_api(password="guess", address=f"192.0.2.{number + 10}")
    assert is_locked(by_api(address=ELSEWHERE))
    assert is_in(by_page(address=HERE))
    assert is_in(by_api(address=HERE))


def test_one_stranger_alone_locks_the_account_for_nobody_else(
    alice: User, clock: SimpleNamespace
) -> None:
    """The owner signs in from an address that is new to the account."""
    for _round in range(30):
        by_api(password="guess", address=ELSEWHERE)
        clock.now += 121
    assert is_in(by_api(address=HERE))


def test_who_has_the_mail_gets_in_at_once(alice: User, seven_of_a_crowd: None) -> None:
    for number in range(9):
        by_api(password="guess", address=f"192.0.2.{number + 10}")
    guess(address="127.0.0.1")
    assert is_locked(by_api(address="127.0.0.1"))
    reset_password(alice)
    assert is_in(by_api(password=NEW, address="127.0.0.1"))


# --- Other places where the password is asked for -----------------------------------


def reauthenticate(user: User, password: str) -> Any:
    client = browser(user)
    data = {"password": password}
    return client.post(reverse("account_reauthenticate"), data, REMOTE_ADDR=HERE)


def change(user: User, password: str) -> Any:
    data = {"oldpassword": password, "password1": NEW, "password2": NEW}
    return browser(user).post(reverse("account_change_password"), data, REMOTE_ADDR=HERE)


def confirm_by_token(user: User, password: str) -> Any:
    body = {"name": "x", "scope": "read", "password": password}
    return api(user).post(TOKENS, body, REMOTE_ADDR=HERE)


def delete_by_page(user: User, password: str) -> Any:
    data = {"username": user.username, "password": password}
    return browser(user).post(reverse("account_delete"), data, REMOTE_ADDR=HERE)


@pytest.mark.parametrize("ask", [reauthenticate, change, confirm_by_token, delete_by_page])
def test_they_count_with_signing_in(alice: User, ask: Any) -> None:
    for number in range(5):
        assert "Too many" not in ask(alice, f"guess {number}").content.decode()
    assert is_locked(by_api())
    assert "Too many" in ask(alice, "alice-password").content.decode()
    alice.refresh_from_db()
    assert alice.check_password("alice-password")
    assert alice.is_active


@pytest.mark.parametrize("ask", [reauthenticate, change, confirm_by_token, delete_by_page])
def test_signing_in_counts_with_them(alice: User, ask: Any) -> None:
    guess()
    assert "Too many" in ask(alice, "alice-password").content.decode()


def test_the_page_of_the_admin_is_the_same(db: None) -> None:
    User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    data = {"username": "boss", "password": "guess"}
    for _ in range(6):
        answer = browser().post(reverse("admin:login"), data, REMOTE_ADDR=HERE)
        assert answer.url.startswith(reverse("account_login"))
    guess(login="boss")
    assert is_locked(by_page("boss", "boss-password"))


def test_the_admin_changes_no_password_of_its_own(db: None) -> None:
    """The admin's own form would not count wrong passwords."""
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    data = {"old_password": "boss-password", "new_password1": NEW, "new_password2": NEW}
    for method in (browser(boss).get, browser(boss).post):
        answer = method(reverse("admin:password_change"), data)
        assert answer.url.startswith(reverse("account_change_password"))
    boss.refresh_from_db()
    assert boss.check_password("boss-password")


def test_codes_count_on_pages_and_by_api_together(alice: User) -> None:
    totp.TOTP.activate(alice, SECRET)
    RecoveryCodes.activate(alice)
    for number in range(5):
        body = {"username": "alice", "password": "alice-password", "otp": f"00000{number}"}
        assert code_of(APIClient().post(LOGIN, body)) == "wrong_otp"
    client = browser()
    client.post(reverse("account_login"), {"login": "alice", "password": "alice-password"})
    page = client.post(reverse("mfa_authenticate"), {"code": code()}).content.decode()
    assert "Too many failed login attempts" in page


# --- Where the cache is down --------------------------------------------------------


@pytest.fixture
def no_cache(settings: Any) -> None:
    down = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": down, "strict": {**down, "OPTIONS": {}}}


def test_people_sign_in_while_the_cache_is_down(alice: User, no_cache: None) -> None:
    """There are no limits then: a site that nobody can enter helps nobody."""
    assert cache.get("x") is None
    for way in (by_page, by_api):
        assert not is_in(way(password="guess"))
        assert is_in(way())


def test_codes_are_taken_while_the_cache_is_down(alice: User, no_cache: None) -> None:
    totp.TOTP.activate(alice, SECRET)
    body = {"username": "alice", "password": "alice-password", "otp": code()}
    assert APIClient().post(LOGIN, body).status_code == 200
    assert code_of(APIClient().post(LOGIN, {**body, "otp": "000000"})) == "wrong_otp"


def test_what_is_counted_names_nobody_twice(alice: User, bob: User) -> None:
    """One user's name is the address of another. It counts for both."""
    User.objects.filter(pk=bob.pk).update(username="alice@example.org")
    named = attempts._named(["alice@example.org", "alice@example.org"])
    assert named == sorted([f"account:{alice.pk}", f"account:{bob.pk}"])


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_every_spelling_of_a_name_is_one_whoever_has_it(alice: User, name: str) -> None:
    """Otherwise a lock of one spelling alone would reveal that the account exists."""
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in name)
    guess(5, login=full_width)
    assert is_locked(by_api(login=name.upper()))


def test_addresses_of_ipv4_are_not_one_however_they_are_written(alice: User) -> None:
    guess(5, address="::ffff:192.0.2.1")
    assert is_locked(by_api(address="192.0.2.1"))
    assert is_in(by_api(address="::ffff:198.51.100.7"))
