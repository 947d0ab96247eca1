"""Acts that open or close an account need a confirmation by its owner, in every way to ask for
them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation
from knox.models import AuthToken
from rest_framework.test import APIClient

from gallery.accounts import tokens
from gallery.models import ApiToken, User
from tests.accounts.test_mfa import SECRET, code
from tests.api_tools import code_of
from tests.conftest import api
from tests.web_tools import browser, confirmed

pytestmark = pytest.mark.django_db

V1 = "/api/v1/"
PASSWORD = {"password": "alice-password"}
CHANGE = {
    "oldpassword": "alice-password",
    "password1": "a longer sentence",
    "password2": "a longer sentence",
}


def session_of(user: User) -> APIClient:
    """Return a client with a stolen cookie, or a browser that was left open."""
    client = APIClient()
    client.force_login(user)
    return client


def recently(user: User) -> APIClient:
    client = session_of(user)
    again = {"password": f"{user.username}-password"}
    client.post(reverse("account_reauthenticate"), again, format="multipart")
    return client


def long_ago(client: Client) -> None:
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= 601
    session.save()


@pytest.fixture
def there(alice: User) -> UserSession:
    """Another browser session of alice."""
    data = {"login": "alice", **PASSWORD}
    browser().post(reverse("account_login"), data)
    return UserSession.objects.get(user=alice)


@pytest.fixture
def script(alice: User) -> ApiToken:
    return tokens.issue(alice, "Script", "read", None)[0]


def state(user: User) -> tuple[Any, ...]:
    """Return everything that the acts below change."""
    user.refresh_from_db()
    return (
        user.email,
        user.is_active,
        ApiToken.objects.filter(token__user=user).count(),
        UserSession.objects.filter(user=user, user_agent="").count(),
    )


API_ACTS = [
    ("patch", "account/", {"email": "thief@example.org"}),
    ("post", "account/tokens/", {"name": "Forever", "scope": "write"}),
    ("delete", "account/tokens/{token}/", {}),
    ("delete", "account/sessions/", {}),
    ("delete", "account/sessions/{session}/", {}),
]


def act(client: APIClient, method: str, address: str, body: Any, ids: Any) -> Any:
    token, session = ids
    return getattr(client, method)(V1 + address.format(token=token.pk, session=session.pk), body)


# --- The API ------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "address", "body"), API_ACTS)
@pytest.mark.parametrize("ask", [session_of, api])
def test_neither_session_nor_token_is_enough(
    alice: User, there: Any, script: Any, ask: Any, method: str, address: str, body: Any
) -> None:
    before, client = state(alice), ask(alice)
    answer = act(client, method, address, body, (script, there))
    assert (answer.status_code, code_of(answer)) == (400, "password_required")
    wrong = act(client, method, address, {**body, "password": "guess"}, (script, there))
    assert code_of(wrong) == "wrong_password"
    assert state(alice) == before


@pytest.mark.parametrize(("method", "address", "body"), API_ACTS)
@pytest.mark.parametrize("ask", [session_of, api])
def test_the_password_confirms_the_act(
    alice: User, there: Any, script: Any, ask: Any, method: str, address: str, body: Any
) -> None:
    before = state(alice)
    answer = act(ask(alice), method, address, {**body, **PASSWORD}, (script, there))
    assert answer.status_code < 300
    assert state(alice) != before


@pytest.mark.parametrize(("method", "address", "body"), API_ACTS)
def test_a_session_that_was_confirmed_needs_it_not_again(
    alice: User, there: Any, script: Any, method: str, address: str, body: Any
) -> None:
    client = recently(alice)
    long_ago(client)
    ids = (script, there)
    assert code_of(act(client, method, address, body, ids)) == "password_required"
    assert act(recently(alice), method, address, body, ids).status_code < 300


@pytest.mark.parametrize(("method", "address", "body"), API_ACTS)
def test_a_token_is_never_recent(
    alice: User, there: Any, script: Any, method: str, address: str, body: Any
) -> None:
    """A recent session beside the token changes nothing."""
    client = recently(alice)
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.sign_in(alice)[1]}")
    answer = act(client, method, address, body, (script, there))
    assert code_of(answer) == "password_required"


def test_one_account_confirms_nothing_for_another(alice: User, bob: User) -> None:
    client = recently(bob)
    client.force_login(alice)
    answer = client.patch(f"{V1}account/", {"email": "thief@example.org"})
    assert code_of(answer) == "password_required"
    body = {"email": "thief@example.org", "password": "bob-password"}
    assert code_of(session_of(alice).patch(f"{V1}account/", body)) == "wrong_password"


def test_what_opens_nothing_needs_no_password(alice: User) -> None:
    answer = session_of(alice).patch(f"{V1}account/", {"display_name": "Alice"})
    assert answer.status_code == 200


def test_the_export_is_for_who_confirmed(alice: User) -> None:
    address = f"{V1}account/export/"
    assert code_of(session_of(alice).get(address)) == "password_required"
    assert recently(alice).get(address).status_code == 200
    assert api(alice).get(address).status_code == 200  # the token may read all of it anyway
    page = browser(alice)
    assert page.get(reverse("account_export")).url == reverse("account_data")
    offered = page.get(reverse("account_data")).content.decode()
    assert f"{reverse('account_reauthenticate')}?next={reverse('account_data')}" in offered
    assert reverse("account_export") not in offered
    assert (
        reverse("account_export") in confirmed(alice).get(reverse("account_data")).content.decode()
    )


# --- The pages ----------------------------------------------------------------------

PAGE_ACTS = [
    ("account_tokens", [], {"name": "Forever", "scope": "write", "days": ""}),
    ("account_token_revoke", ["token"], {}),
    ("account_tokens_end", [], {}),
    ("account_tokens_review", [], {"tokens": "token"}),
    ("account_session_end", ["session"], {}),
    ("account_sessions_end", [], {}),
    ("account_email", [], {"email": "new@example.org", "action_add": ""}),
]


@pytest.mark.parametrize(("name", "args", "body"), PAGE_ACTS)
def test_pages_ask_and_go_on(
    alice: User, there: Any, script: Any, name: str, args: list[str], body: dict[str, str]
) -> None:
    """After the password, the page does what was sent before."""
    ids = {"token": script.pk, "session": there.pk}
    body = {key: str(ids.get(value, value)) for key, value in body.items()}
    tokens.sign_in(alice)
    client, address = browser(alice), reverse(name, args=[ids[arg] for arg in args])

    def held() -> tuple[Any, ...]:
        return (*state(alice), AuthToken.objects.filter(user=alice).count())

    before = held()
    asked = client.post(address, body)
    assert asked.url.startswith(reverse("account_reauthenticate"))
    wrong = client.post(asked.url, {"password": "guess"})
    assert "Incorrect password" in wrong.content.decode()
    assert held() == before
    client.post(asked.url, PASSWORD)
    assert held() != before


def test_a_new_token_is_shown_after_the_password(alice: User) -> None:
    client = browser(alice)
    body = {"name": "Phone", "scope": "write", "days": ""}
    asked = client.post(reverse("account_tokens"), body)
    page = client.post(asked.url, PASSWORD)
    shown = re.search(r'<code id="secret">([0-9a-f]{64})</code>', page.content.decode())
    assert shown is not None
    signed = APIClient()
    signed.credentials(HTTP_AUTHORIZATION=f"Token {shown[1]}")
    assert signed.get(f"{V1}auth/me/").status_code == 200
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    [
        "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_add_webauthn",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_second_factors_are_for_who_confirmed(alice: User, name: str, method: str) -> None:
    if name != "mfa_activate_totp":
        totp.TOTP.activate(alice, SECRET)
        Authenticator.objects.create(
            user=alice, type="recovery_codes", data={"seed": "0" * 40, "used_mask": 0}
        )
    before = list(Authenticator.objects.values_list("pk", flat=True))
    answer = getattr(browser(alice), method)(reverse(name))
    assert answer.status_code in (302, 405)
    if answer.status_code == 302:
        assert "reauthenticate" in answer.url
    assert list(Authenticator.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("name", ["mfa_remove_webauthn", "mfa_edit_webauthn"])
def test_changing_a_passkey_needs_a_confirmation(alice: User, bob: User, name: str) -> None:
    key = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Key"})
    address = reverse(name, args=[key.pk])
    assert "reauthenticate" in browser(alice).post(address, {"name": "Mine"}).url
    assert confirmed(bob).post(address, {"name": "Mine"}).status_code == 404
    key.refresh_from_db()
    assert key.data == {"name": "Key"}


def test_a_code_confirms_as_well(alice: User) -> None:
    totp.TOTP.activate(alice, SECRET)
    client = browser(alice)
    asked = client.post(reverse("account_sessions_end"))
    client.post(f"{reverse('mfa_reauthenticate')}?next={asked.url}", {"code": code()})
    assert client.get(reverse("mfa_deactivate_totp")).status_code == 200


# --- Accounts of others -------------------------------------------------------------


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "boss@example.org", "boss-password")


@pytest.mark.parametrize("change", [{"role": "administrator"}, {"is_active": False}])
def test_rights_are_given_by_who_confirmed(boss: User, alice: User, change: Any) -> None:
    address = f"{V1}users/alice/"
    for client in (api(boss), session_of(boss)):
        assert code_of(client.patch(address, change)) == "password_required"
        wrong = client.patch(address, {**change, **PASSWORD})
        assert code_of(wrong) == "wrong_password"  # alice's own is not the one
    form = {"role": "user", "is_active": "on", "quota_megabytes": "", "quota_images": ""}
    sent = {**form, **{"is_active": ""}} if "is_active" in change else {**form, **change}
    page = browser(boss).post(reverse("user", args=["alice"]), sent)
    assert page.url.startswith(reverse("account_reauthenticate"))
    alice.refresh_from_db()
    assert (alice.role, alice.is_active) == ("user", True)
    allowed = {**change, "password": "boss-password"}
    assert api(boss).patch(address, allowed).status_code == 200


def test_quotas_open_nothing(boss: User, alice: User) -> None:
    assert api(boss).patch(f"{V1}users/alice/", {"quota_images": 5}).status_code == 200
    body = {"role": "user", "is_active": "on", "quota_megabytes": "", "quota_images": "6"}
    assert browser(boss).post(reverse("user", args=["alice"]), body).url == reverse("users")


ADMIN_ACTS = [
    ("gallery_user_change", {"username": "alice", "email": "x@example.org", "role": "user"}),
    ("gallery_user_delete", {"post": "yes"}),
    ("auth_user_password_change", {"password1": "a new sentence", "password2": "a new sentence"}),
]


@pytest.mark.parametrize(("name", "body"), ADMIN_ACTS)
def test_the_admin_asks_as_well(boss: User, alice: User, name: str, body: Any) -> None:
    before = User.objects.filter(pk=alice.pk).values().get()
    address = reverse(f"admin:{name}", args=[alice.pk])
    asked = browser(boss).post(address, body)
    assert asked.url.startswith(reverse("account_reauthenticate"))
    assert User.objects.filter(pk=alice.pk).values().get() == before


def test_actions_of_the_admin_ask_as_well(boss: User, alice: User) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [alice.pk], "post": "yes"}
    asked = browser(boss).post(reverse("admin:gallery_user_changelist"), chosen)
    assert asked.url.startswith(reverse("account_reauthenticate"))
    assert User.objects.get(pk=alice.pk).is_active


def test_the_admin_goes_on_after_the_password(boss: User, alice: User) -> None:
    client = browser(boss)
    address = reverse("admin:gallery_user_delete", args=[alice.pk])
    asked = client.post(address, {"post": "yes"})
    client.post(asked.url, {"password": "boss-password"})
    assert not User.objects.get(pk=alice.pk).is_active


@pytest.mark.parametrize(
    "model", ["account_emailaddress", "mfa_authenticator", "usersessions_usersession"]
)
def test_the_admin_makes_no_way_in(boss: User, alice: User, model: str) -> None:
    """The rows of allauth: addresses that can reset passwords, factors, sessions."""
    EmailAddress.objects.create(user=alice, email="a@example.org", verified=True, primary=True)
    totp.TOTP.activate(alice, SECRET)
    browser().post(reverse("account_login"), {"login": "boss", "password": "boss-password"})
    client = confirmed(boss)
    assert client.get(reverse(f"admin:{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{model}_add")).status_code == 403
    assert client.post(reverse(f"admin:{model}_add"), {"user": alice.pk}).status_code == 403


# --- Notices ------------------------------------------------------------------------


def the_mail() -> Any:
    (message,) = mail.outbox
    return message


def change_by_api(alice: User, boss: User) -> None:
    api(alice).patch(f"{V1}account/", {"email": "new@example.org", **PASSWORD})


def change_by_page(alice: User, boss: User) -> None:
    body = {"email": "new@example.org", "action_add": ""}
    confirmed(alice).post(reverse("account_email"), body)


def change_by_admin(alice: User, boss: User) -> None:
    body = {"username": "alice", "email": "new@example.org", "role": "user", "is_active": "on"}
    address = reverse("admin:gallery_user_change", args=[alice.pk])
    confirmed(boss).post(address, {**body, "display_name": "", "language": ""})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [change_by_api, change_by_page, change_by_admin])
def test_the_former_address_is_told(boss: User, alice: User, change: Any) -> None:
    change(alice, boss)
    by_admin = change is change_by_admin
    message = the_mail()
    assert message.to == ["alice@example.org"]
    assert "alice" in message.body
    assert "new@example.org" in message.body
    assert ("from the address 127.0.0.1" in message.body) is not by_admin
    assert ("by an administrator" in message.body) is by_admin
    assert f"http://testserver{reverse('mfa_index')}" in message.body


@pytest.mark.django_db(transaction=True)
def test_the_same_address_is_no_news(alice: User) -> None:
    api(alice).patch(f"{V1}account/", {"email": "Alice@Example.org", **PASSWORD})
    assert mail.outbox == []


@pytest.mark.parametrize("has_row", [True, False])
def test_it_is_told_when_the_new_one_is_confirmed(
    alice: User, settings: Any, has_row: bool
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    if has_row:
        EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    api(alice).patch(f"{V1}account/", {"email": "new@example.org", **PASSWORD})
    link = re.search(r"https?://testserver(\S+)", mail.outbox[0].body)
    assert link is not None
    browser().post(link[1])
    alice.refresh_from_db()
    assert alice.email == "new@example.org"
    assert [message.to for message in mail.outbox[1:]] == [["alice@example.org"]]


def test_notices_are_in_the_language_of_the_account(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    languages: list[str | None] = []
    send = "allauth.account.adapter.DefaultAccountAdapter.send_mail"
    monkeypatch.setattr(send, lambda *args: languages.append(translation.get_language()))
    for language in ("zh-hans", ""):
        client = browser(alice, language="en")
        User.objects.filter(pk=alice.pk).update(language=language)
        client.post(reverse("account_change_password"), CHANGE)
        alice.set_password("alice-password")
        alice.save()
    assert languages == ["zh-hans", "en"]


@pytest.mark.django_db(transaction=True)
def test_passwords_and_factors_are_told(alice: User) -> None:
    client = browser(alice)
    client.post(reverse("account_change_password"), CHANGE)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    client.post(reverse("mfa_deactivate_totp"))
    assert [message.subject for message in mail.outbox] == [
        "Your password for Clipsite has changed",
        "An authenticator app protects your Clipsite account",
        "The authenticator app of your Clipsite account is turned off",
    ]
    assert {tuple(message.to) for message in mail.outbox} == {("alice@example.org",)}


def test_a_password_given_by_an_administrator_is_told(boss: User, alice: User) -> None:
    address = reverse("admin:auth_user_password_change", args=[alice.pk])
    confirmed(boss).post(address, {**CHANGE, "usable_password": "true"})
    assert the_mail().to == ["alice@example.org"]
    assert "was reset" in the_mail().subject
    assert "by an administrator" in the_mail().body


def test_a_mail_server_that_refuses_stops_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    assert browser(alice).post(reverse("account_change_password"), CHANGE).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("a longer sentence")
