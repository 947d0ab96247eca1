"""Credentials end when their basis changes: the password, the second factor, the rights."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken
from rest_framework.test import APIClient

from gallery.accounts import credentials, roles, tokens
from gallery.models import TokenBinding, User
from tests.accounts.test_mfa import SECRET, code
from tests.accounts.test_tokens import client_with, issue
from tests.conftest import api
from tests.web_tools import browser, confirmed

pytestmark = pytest.mark.django_db

ME = "/api/v1/auth/me/"
LOGIN = "/api/v1/auth/login/"
NEW = "a longer sentence"
REVIEW = "account_tokens_review"


class HandedOut:
    """The credentials of an account: a browser, a program that signed in, a named token."""

    def __init__(self, user: User) -> None:
        self.browser, self.program = sign_in(user.username), api_sign_in(user.username)
        self.described, self.named = issue(user, "write")

    def live(self) -> tuple[bool, bool, bool]:
        """Return whether browser, program and named token still work."""
        page = self.browser.get(reverse("account_home"))
        answers = [client.get(ME).status_code for client in (self.program, self.named)]
        return page.status_code == 200, answers[0] == 200, answers[1] == 200


def sign_in(name: str, password: str | None = None) -> Client:
    client = browser()
    data = {"login": name, "password": password or f"{name}-password"}
    assert client.post(reverse("account_login"), data).status_code == 302
    return client


def api_sign_in(name: str) -> APIClient:
    body = {"username": name, "password": f"{name}-password"}
    return client_with(APIClient().post(LOGIN, body).json()["token"])


@pytest.fixture
def mine(alice: User) -> HandedOut:
    return HandedOut(alice)


@pytest.fixture
def others(bob: User) -> HandedOut:
    return HandedOut(bob)


def change_password(client: Client) -> Any:
    data = {"oldpassword": "alice-password", "password1": NEW, "password2": NEW}
    return client.post(reverse("account_change_password"), data)


def reset_password(user: User) -> None:
    client = browser()
    client.post(reverse("account_reset_password"), {"email": user.email})
    link = re.search(r"https?://testserver(\S+)", mail.outbox[-1].body)
    assert link is not None
    address = client.get(link[1], follow=True).redirect_chain[-1][0]
    assert client.post(address, {"password1": NEW, "password2": NEW}).status_code == 302


# --- The password -------------------------------------------------------------------


def test_a_change_ends_what_signed_in_with_it(mine: HandedOut, others: HandedOut) -> None:
    here = sign_in("alice")
    assert change_password(here).url == reverse(REVIEW)
    assert mine.live() == (False, False, True)
    assert others.live() == (True, True, True)
    assert here.get(reverse("account_home")).status_code == 200
    assert UserSession.objects.filter(user__username="alice").count() == 1
    assert AuthToken.objects.filter(user__username="alice").count() == 1


def test_a_reset_ends_everything(mine: HandedOut, others: HandedOut, alice: User) -> None:
    reset_password(alice)
    assert mine.live() == (False, False, False)
    assert others.live() == (True, True, True)
    alice.refresh_from_db()
    assert not tokens.tokens_of(alice).exists()
    assert not tokens.sign_ins_of(alice).exists()
    page = sign_in("alice", NEW).get(reverse("account_tokens")).content.decode()
    assert "None yet." in page


def by_command(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", user.username, verbosity=0)


def by_admin(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    data = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert confirmed(boss).post(address, data).status_code == 302


def by_admin_none(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    data = {"usable_password": "false", "unset-password": "1"}
    assert confirmed(boss).post(address, data).status_code == 302


def by_code(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    again = User.objects.get(pk=user.pk)
    again.set_password(NEW)
    again.save(update_fields=["password"])


@pytest.mark.parametrize("way", [by_command, by_admin, by_admin_none, by_code])
def test_every_other_new_password_ends_everything(
    mine: HandedOut,
    others: HandedOut,
    alice: User,
    way: Callable[[User, pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way(alice, monkeypatch)
    alice.refresh_from_db()
    assert not alice.check_password("alice-password")
    assert mine.live() == (False, False, False)
    assert others.live() == (True, True, True)


def test_a_password_set_for_the_first_time_keeps_this_browser_and_named_tokens(
    alice: User,
) -> None:
    """The user signs in with a passkey alone. The page asks for it before."""
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": SECRET})
    alice.set_unusable_password()
    alice.save()
    _described, named = issue(alice)
    client = browser(alice)
    data = {"password1": NEW, "password2": NEW}
    asked = client.post(reverse("account_set_password"), data)
    assert asked.url.startswith(reverse("mfa_reauthenticate"))
    client.post(asked.url, {"code": code()})
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert client.get(reverse("account_home")).status_code == 200
    assert named.get(ME).status_code == 200


def test_a_token_made_while_the_password_changes_is_dead(alice: User) -> None:
    """The password is right at first, and changes before the token is made."""
    signing_in = User.objects.get(pk=alice.pk)
    alice.set_password(NEW)
    alice.save()
    alice.refresh_from_db()
    kept = tokens.sign_in(alice)[1]
    late = tokens.sign_in(signing_in)[1]
    assert client_with(late).get(ME).status_code == 401
    assert client_with(kept).get(ME).status_code == 200


def test_a_token_without_a_binding_is_nothing(alice: User) -> None:
    client = api(alice)
    TokenBinding.objects.all().delete()
    assert client.get(ME).status_code == 401


def test_hashing_a_password_anew_ends_no_token(mine: HandedOut, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = User.objects.get(username="alice").password
    sign_in("alice")
    assert User.objects.get(username="alice").password != before
    assert mine.live()[1:] == (True, True)


# --- Being asked about named tokens ---------------------------------------------------


def test_who_changes_the_password_is_asked(mine: HandedOut, alice: User, bob: User) -> None:
    _kept, named = issue(alice)
    bobs, bobs_token = issue(bob)
    here = sign_in("alice")
    change_password(here)
    page = here.get(reverse(REVIEW)).content.decode()
    assert len(re.findall(r'name="tokens" value="[^"]+" checked', page)) == 2
    for other in ("account_tokens", "mfa_index"):
        assert reverse(REVIEW) in here.get(reverse(other)).content.decode()

    chosen = [str(mine.described.pk), str(bobs.pk)]
    here.post(reverse(REVIEW), {"tokens": chosen})  # one of them is not hers: nothing is done
    assert (named.get(ME).status_code, mine.live()[2]) == (200, True)
    answer = here.post(reverse(REVIEW), {"tokens": chosen[:1]}, follow=True)
    assert "1 token is revoked." in answer.content.decode()
    assert (named.get(ME).status_code, mine.live()[2]) == (200, False)
    assert bobs_token.get(ME).status_code == 200
    assert reverse(REVIEW) not in here.get(reverse("account_tokens")).content.decode()


def test_all_tokens_may_go_on(mine: HandedOut) -> None:
    here = sign_in("alice")
    change_password(here)
    body = {"tokens": [str(mine.described.pk)], "keep": "all"}
    answer = here.post(reverse(REVIEW), body, follow=True)
    assert "Your tokens go on working." in answer.content.decode()
    assert mine.live()[2]


def test_nobody_is_asked_about_nothing(alice: User, mine: HandedOut) -> None:
    here = sign_in("alice")
    change_password(here)
    mine.described.token.delete()
    assert here.get(reverse(REVIEW)).url == reverse("account_tokens")
    assert reverse(REVIEW) not in here.get(reverse("mfa_index")).content.decode()


def test_who_has_no_tokens_is_not_asked(alice: User) -> None:
    assert change_password(sign_in("alice")).url == reverse("mfa_index")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("account_change_password", "signs out all other browsers"),
        ("mfa_index", "signs out all other browsers"),
        ("account_tokens", "you are asked which of them may go on"),
    ],
)
def test_the_pages_say_so(alice: User, name: str, sentence: str) -> None:
    assert sentence in browser(alice).get(reverse(name)).content.decode()


def test_the_page_of_a_reset_says_so(alice: User) -> None:
    client = browser()
    client.post(reverse("account_reset_password"), {"email": alice.email})
    link = re.search(r"https?://testserver(\S+)", mail.outbox[-1].body)
    assert link is not None
    page = client.get(link[1], follow=True).content.decode()
    assert "revokes all API tokens of the account" in page


# --- Second factors -----------------------------------------------------------------


def turn_on(client: Client) -> Any:
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    return client.post(reverse("mfa_activate_totp"), {"code": code(secret)})


def test_turning_one_on_ends_the_rest(mine: HandedOut, others: HandedOut, alice: User) -> None:
    here = confirmed(alice)
    answer = turn_on(here)
    assert answer.url == reverse("mfa_view_recovery_codes")
    assert reverse(REVIEW) in here.get(answer.url).content.decode()
    assert mine.live() == (False, False, True)
    assert others.live() == (True, True, True)
    assert here.get(reverse("account_home")).status_code == 200


def test_turning_it_off_ends_the_rest_and_brings_nothing_back(mine: HandedOut, alice: User) -> None:
    here = confirmed(alice)
    turn_on(here)
    browser_of_then, program_of_then = mine.browser, mine.program
    alice.refresh_from_db()
    mine.browser, mine.program = browser(alice), api(alice)
    assert here.post(reverse("mfa_deactivate_totp")).url == reverse(REVIEW)
    assert not Authenticator.objects.exists()
    assert mine.live() == (False, False, True)
    mine.browser, mine.program = browser_of_then, program_of_then
    assert mine.live() == (False, False, True)
    assert here.get(reverse("account_home")).status_code == 200


def test_deleting_a_factor_in_the_admin_ends_everything(
    mine: HandedOut, others: HandedOut, alice: User
) -> None:
    """The owner lost a device. The named tokens end, too, and nothing comes back."""
    totp.TOTP.activate(alice, SECRET)
    RecoveryCodes.activate(alice)
    _described, named = issue(alice)
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    factor = Authenticator.objects.get(user=alice, type="totp")
    admin = confirmed(boss)
    shown = admin.get(reverse("admin:mfa_authenticator_change", args=[factor.pk]))
    assert SECRET not in shown.content.decode()
    address = reverse("admin:mfa_authenticator_delete", args=[factor.pk])
    assert admin.post(address, {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.filter(user=alice).exists()
    assert mine.live() == (False, False, False)
    assert named.get(ME).status_code == 401
    assert others.live() == (True, True, True)
    assert "turned off" in mail.outbox[-1].subject
    assert mail.outbox[-1].to == ["alice@example.org"]


def test_an_account_goes_with_its_factors(alice: User, bob: User) -> None:
    totp.TOTP.activate(alice, SECRET)
    totp.TOTP.activate(bob, SECRET)
    User.objects.get(pk=alice.pk).delete()
    assert Authenticator.objects.get().user == bob


def test_new_recovery_codes_end_nothing(mine: HandedOut, alice: User) -> None:
    RecoveryCodes.activate(alice)
    assert mine.live() == (True, True, True)


# --- Rights -------------------------------------------------------------------------


def test_a_locked_account_comes_back_with_nothing(
    mine: HandedOut, others: HandedOut, alice: User
) -> None:
    roles.change_account(alice, {"is_active": False})
    assert mine.live() == (False, False, False)
    roles.change_account(alice, {"is_active": True})
    assert mine.live() == (False, False, False)
    assert others.live() == (True, True, True)


def test_a_new_role_is_for_who_signs_in_anew(mine: HandedOut, alice: User) -> None:
    roles.change_account(alice, {"role": "user", "quota_images": 5})
    assert mine.live() == (True, True, True)
    roles.change_account(alice, {"role": "administrator"})
    assert mine.live() == (False, False, False)


def test_renewing_is_for_one_account(mine: HandedOut, others: HandedOut, alice: User) -> None:
    credentials.renew(alice)
    assert mine.live() == (False, False, False)
    assert others.live() == (True, True, True)


def test_a_session_that_the_admin_deletes_is_over(mine: HandedOut, alice: User) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    session = UserSession.objects.get(user=alice)
    address = reverse("admin:usersessions_usersession_delete", args=[session.pk])
    assert confirmed(boss).post(address, {"post": "yes"}).status_code == 302
    assert mine.live() == (False, True, True)


# --- What was there before ----------------------------------------------------------


def test_named_tokens_survive_the_update(mine: HandedOut, others: HandedOut) -> None:
    """The migration finds tokens without bindings."""
    TokenBinding.objects.all().delete()
    import_module("gallery.migrations.0007_credentials").bind_named_tokens(apps, None)
    assert mine.live() == (True, False, True)
    assert others.live() == (True, False, True)


# --- Addresses that were only asked for -----------------------------------------------


def asked_for(user: User) -> str:
    """Return an address that somebody with the password asked for, and nobody confirmed."""
    EmailAddress.objects.create(user=user, email="evil@example.org", verified=False)
    return "evil@example.org"


def test_an_address_that_nobody_confirmed_resets_nothing(alice: User) -> None:
    address = reverse("account_reset_password")
    browser().post(address, {"email": asked_for(alice)})
    assert not any("/password/reset/key/" in message.body for message in mail.outbox)

    browser().post(address, {"email": alice.email.upper()})
    assert any("/password/reset/key/" in message.body for message in mail.outbox)


@pytest.mark.parametrize("way", ["change", "reset", "factor"])
def test_an_address_that_nobody_confirmed_goes_with_the_credentials(alice: User, way: str) -> None:
    asked_for(alice)
    both = {"password1": NEW, "password2": NEW}
    if way == "change":
        data = {"oldpassword": "alice-password", **both}
        browser(alice).post(reverse("account_change_password"), data)
    elif way == "reset":
        browser().post(reverse("account_reset_password"), {"email": alice.email})
        (link,) = re.findall(r"https?://[^/]+(/\S+)", str(mail.outbox[-1].body))[:1]
        stranger = browser()
        form = stranger.get(link, follow=True)
        stranger.post(form.request["PATH_INFO"], both)
        alice.refresh_from_db()
        assert alice.check_password(NEW)
    else:
        credentials.renew(alice)
    assert not EmailAddress.objects.filter(user=alice, email="evil@example.org").exists()


def test_tokens_of_signing_in_have_an_end(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 3)
    made = [tokens.sign_in(alice)[0].pk for _number in range(5)]
    assert set(tokens.sign_ins_of(alice).values_list("pk", flat=True)) == set(made[2:])
