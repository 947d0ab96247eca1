"""Signing up, signing in and out, and a forgotten password, without a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from gallery.models import User
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

NEW = {
    "username": "carol",
    "email": "carol@example.org",
    "password1": "a long password",
    "password2": "a long password",
}


def test_sign_up_leads_to_the_empty_gallery() -> None:
    response = browser().post(reverse("account_signup"), NEW, follow=True)
    assert response.redirect_chain[-1][0] == reverse("home")
    assert "Your gallery is empty" in response.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"username": ""}, {"email": "no address"}, {"password1": "123"}, {"password2": "another"}],
)
def test_what_is_wrong_is_said_beside_the_field(wrong: dict[str, str]) -> None:
    response = browser().post(reverse("account_signup"), NEW | wrong)
    assert 'class="errors"' in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("login", ["alice", "alice@example.org"])
def test_sign_in_by_name_or_address(alice: User, login: str) -> None:
    data = {"login": login, "password": "alice-password", "next": reverse("upload")}
    assert browser().post(reverse("account_login"), data).url == reverse("upload")


def test_sign_out(alice: User) -> None:
    client = browser(alice)
    assert client.post(reverse("account_logout")).url == reverse("home")
    assert client.get(reverse("upload")).status_code == 302


def test_a_forgotten_password(alice: User) -> None:
    client = browser()
    page = client.post(reverse("account_reset_password"), {"email": alice.email}, follow=True)
    assert "Check your inbox" in page.content.decode()
    (message,) = mail.outbox
    assert message.subject == "Choose a new password for Clipsite"
    link = re.search(r"https?://testserver(\S+)", message.body)
    assert link is not None

    form = client.get(link[1], follow=True)
    assert "Choose a new password" in form.content.decode()
    address = form.redirect_chain[-1][0]
    fresh = {"password1": "another long one", "password2": "another long one"}
    done = client.post(address, fresh, follow=True)
    assert "Your password is changed" in done.content.decode()
    alice.refresh_from_db()
    assert alice.check_password("another long one")

    again = browser().get(link[1], follow=True)
    assert "This link does not work any more" in again.content.decode()


def test_an_address_without_an_account_reveals_nothing_on_the_page() -> None:
    data = {"email": "nobody@example.org"}
    page = browser().post(reverse("account_reset_password"), data, follow=True)
    assert "Check your inbox" in page.content.decode()
    assert "no account has this address" in mail.outbox[0].body


def test_change_the_password(alice: User) -> None:
    data = {"oldpassword": "alice-password", "password1": "a newer one", "password2": "a newer one"}
    browser(alice).post(reverse("account_change_password"), data)
    alice.refresh_from_db()
    assert alice.check_password("a newer one")


@pytest.mark.parametrize(
    "name",
    ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"],
)
def test_account_pages_have_our_frame(name: str) -> None:
    page = browser().get(reverse(name)).content.decode()
    assert 'class="card stack"' in page
    assert "importmap" in page


def test_the_language_can_be_changed(client: Any) -> None:
    data = {"language": "zh-hans", "next": reverse("about")}
    response = client.post(reverse("set_language"), data, follow=True)
    assert response.redirect_chain[-1][0] == reverse("about")
    assert '<html lang="zh-hans">' in response.content.decode()
