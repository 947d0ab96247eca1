"""The pages of an account: profile, language, address, usage, sessions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from gallery.accounts import sessions
from gallery.models import User
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

ACCOUNT = "/api/v1/account/"
USAGE = "/api/v1/account/usage/"
SESSIONS = "/api/v1/account/sessions/"
PASSWORD = {"password": "alice-password"}
PAGES = ["account_home", "account_sessions", "account_tokens", "account_data", "account_delete"]


def sign_in(agent: str = "Firefox/130.0 (Linux)", name: str = "alice") -> Client:
    client = browser()
    data = {"login": name, "password": f"{name}-password"}
    client.post(reverse("account_login"), data, headers={"User-Agent": agent})
    client.post(reverse("account_reauthenticate"), data, headers={"User-Agent": agent})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("account_home")).status_code == 200


# --- Profile ------------------------------------------------------------------------


def test_the_account_as_the_api_shows_it(alice: User) -> None:
    answer = api(alice).get(ACCOUNT).json()
    assert answer == {
        "username": "alice",
        "email": "alice@example.org",
        "display_name": "",
        "shown_name": "alice",
        "language": "",
        "role": "user",
        "second_factor": False,
        "keep_history": True,
        "mail_notices": False,
        "portrait": None,
        "date_joined": answer["date_joined"],
    }


def test_name_and_language_are_changed(alice: User, bob: User) -> None:
    body = {"display_name": "  Alice   Wu ", "language": "zh-hans"}
    answer = api(alice).patch(ACCOUNT, body)
    assert answer.status_code == 200
    assert (answer.json()["shown_name"], answer.json()["language"]) == ("Alice Wu", "zh-hans")
    assert api(alice).patch(ACCOUNT, {"display_name": ""}).json()["shown_name"] == "alice"
    assert api(alice).get(ACCOUNT).json()["language"] == "zh-hans"
    assert api(bob).get(ACCOUNT).json()["language"] == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"display_name": "x" * 101}, "display_name"),
        ({"display_name": "a\x00b"}, "display_name"),
        ({"language": "fr"}, "language"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_bad_input_names_the_field(alice: User, body: dict[str, Any], field: str) -> None:
    answer = api(alice).patch(ACCOUNT, {**PASSWORD, **body})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == field


def test_a_role_is_not_taken(alice: User) -> None:
    api(alice).patch(ACCOUNT, {"role": "administrator", "quota_bytes": 0, "is_superuser": True})
    alice.refresh_from_db()
    assert (alice.role, alice.quota_bytes, alice.is_superuser) == ("user", None, False)


def test_the_page_changes_the_profile(alice: User) -> None:
    client = browser(alice)
    body = {"display_name": "Alice Wu", "language": ""}
    page = client.post(reverse("account_home"), body, follow=True)
    assert 'value="Alice Wu"' in page.content.decode()
    too_long = client.post(reverse("account_home"), {"display_name": "x" * 101, "language": ""})
    assert 'class="errors"' in too_long.content.decode()
    alice.refresh_from_db()
    assert alice.display_name == "Alice Wu"


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_sent_to_sign_in(name: str) -> None:
    assert browser().get(reverse(name)).url.startswith(reverse("account_login"))
    assert api().get(ACCOUNT).status_code == 401
    assert api().get(USAGE).status_code == 401


# --- Language -----------------------------------------------------------------------


def language_of(client: Client) -> str:
    found = re.search(r'<html lang="([^"]+)"', client.get(reverse("about")).content.decode())
    assert found is not None
    return found[1]


def test_the_language_goes_along_to_every_device(alice: User) -> None:
    body = {"display_name": "", "language": "zh-hans"}
    browser(alice).post(reverse("account_home"), body)
    elsewhere = browser(language="en")
    elsewhere.cookies["django_language"] = "en"
    assert language_of(elsewhere) == "en"
    elsewhere.post(reverse("account_login"), {"login": "alice", "password": "alice-password"})
    assert language_of(elsewhere) == "zh-hans"


def test_the_menu_changes_the_language_of_the_account(alice: User, bob: User) -> None:
    client = browser(alice)
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/about/"})
    assert language_of(client) == "zh-hans"
    assert language_of(browser(alice)) == "zh-hans"
    assert language_of(browser(bob)) == "en"
    client.post(reverse("set_language"), {"language": "klingon"})
    assert language_of(client) == "zh-hans"
    client.post(reverse("set_language"), {"language": "en"})
    assert language_of(browser(alice)) == "en"


def test_the_api_answers_in_the_language_of_the_request(alice: User) -> None:
    api(alice).patch(ACCOUNT, {"language": "zh-hans"})
    client = APIClient()
    client.force_login(User.objects.get(pk=alice.pk))
    answer = client.get("/api/v1/images/?limit=0", headers={"Accept-Language": "en"})
    assert "Ask for" in answer.json()["errors"][0]["detail"]


# --- Email address -----------------------------------------------------------------


def test_a_new_address_counts_at_once_where_none_is_verified(alice: User) -> None:
    client = api(alice)
    body = {"email": "New@Example.org"}
    assert code_of(client.patch(ACCOUNT, body)) == "password_required"
    assert client.patch(ACCOUNT, {**body, **PASSWORD}).json()["email"] == "new@example.org"
    assert [row.email for row in EmailAddress.objects.filter(user=alice)] == ["new@example.org"]
    data = {"login": "new@example.org", "password": "alice-password"}
    assert browser().post(reverse("account_login"), data).url == reverse("home")


def test_the_address_of_another_is_refused(alice: User, bob: User) -> None:
    body = {"email": "BOB@example.org", **PASSWORD}
    answer = api(alice).patch(ACCOUNT, body)
    assert (answer.status_code, code_of(answer)) == (400, "email_taken")
    bob.refresh_from_db()
    assert bob.email == "bob@example.org"


def test_the_page_changes_the_address_after_the_password(alice: User, bob: User) -> None:
    client = browser(alice)
    body = {"email": "new@example.org", "action_add": ""}
    asked = client.post(reverse("account_email"), body)
    assert asked.url.startswith(reverse("account_reauthenticate"))
    client.post(asked.url, PASSWORD)
    taken = client.post(reverse("account_email"), {"email": bob.email, "action_add": ""})
    assert "Another account has this email address." in taken.content.decode()
    alice.refresh_from_db()
    assert alice.email == "new@example.org"


def test_where_addresses_are_verified_a_mail_is_sent_first(alice: User, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    api(alice).patch(ACCOUNT, {"email": "new@example.org", **PASSWORD})
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    (message,) = mail.outbox
    assert message.to == ["new@example.org"]
    link = re.search(r"https?://testserver(\S+)", message.body)
    assert link is not None
    client = browser(alice)
    assert "To be confirmed" in client.get(reverse("account_email")).content.decode()
    assert "is that right?" in client.get(link[1]).content.decode()
    client.post(link[1])
    alice.refresh_from_db()
    assert alice.email == "new@example.org"


# --- Usage --------------------------------------------------------------------------


def test_usage_counts_own_pictures_and_the_trash(alice: User, bob: User) -> None:
    kept, trashed = upload(alice, draw(colour="red")), upload(alice, draw(colour="blue"))
    api(alice).delete(f"/api/v1/images/{trashed.pk}/")
    upload(bob)
    User.objects.filter(pk=alice.pk).update(quota_bytes=10_000_000, quota_images=0)
    assert api(alice).get(USAGE).json() == {
        "bytes": kept.byte_size + trashed.byte_size,
        "images": 2,
        "max_bytes": 10_000_000,
        "max_images": None,
    }
    page = browser(User.objects.get(pk=alice.pk)).get(reverse("account_home")).content.decode()
    assert "of 9.5" in page
    assert "2 pictures" in page


# --- Sessions -----------------------------------------------------------------------


def test_an_account_lists_its_sessions(alice: User, bob: User) -> None:
    here, there = sign_in("Firefox/130.0 (X11; Linux)"), sign_in("Chrome/99 Safari/5 (iPhone)")
    sign_in(name="bob")
    page = here.get(reverse("account_sessions")).content.decode()
    assert "Firefox · Linux" in page
    assert "Chrome · iPhone" in page
    assert page.count("This device") == 1
    assert len(here.get(SESSIONS).json()) == 2
    assert [row["current"] for row in there.get(SESSIONS).json()] == [True, False]


def test_one_session_is_ended(alice: User, bob: User) -> None:
    here, there, bobs = sign_in(), sign_in(), sign_in(name="bob")
    (other,) = [row["id"] for row in here.get(SESSIONS).json() if not row["current"]]
    address = reverse("account_session_end", args=[other])
    assert bobs.post(address).status_code == 404
    assert bobs.delete(f"{SESSIONS}{other}/").status_code == 404
    assert is_signed_in(there)
    assert here.post(address).url == reverse("account_sessions")
    assert (is_signed_in(here), is_signed_in(there), is_signed_in(bobs)) == (True, False, True)


def test_all_others_are_ended(alice: User, bob: User) -> None:
    here, there, third, bobs = sign_in(), sign_in(), sign_in(), sign_in(name="bob")
    page = here.post(reverse("account_sessions_end"), follow=True).content.decode()
    assert "2 devices are signed out." in page
    assert [is_signed_in(client) for client in (here, there, third)] == [True, False, False]
    assert is_signed_in(bobs)


def test_by_api_with_the_session_or_the_password(alice: User) -> None:
    here, there = sign_in(), sign_in()
    client = api(alice)
    assert code_of(client.delete(SESSIONS)) == "password_required"
    assert is_signed_in(there)
    assert here.delete(SESSIONS).status_code == 204
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    assert client.delete(SESSIONS, PASSWORD).status_code == 204
    assert not is_signed_in(here)


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "(Windows NT 10.0) AppleWebKit Chrome/120 Safari/537 Edg/120",
            "Edge · Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Version/17 Safari/605", "Safari · macOS"),
        ("Mozilla/5.0 (iPhone; like Mac OS X) CriOS/120 Safari/605", "Chrome · iPhone"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_browsers_are_named(agent: str, shown: str) -> None:
    assert sessions.describe(agent) == shown
