"""The account's pages in a real browser: passkeys, tokens to copy, careful deletion, moderation; on
a phone, in the dark theme, without scripts of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.urls import reverse
from playwright.sync_api import CDPSession, Page, Route, expect
from rest_framework.test import APIClient

from gallery.accounts import invitations, moderation, tokens
from gallery.models import User
from tests.accounts.test_mfa import code
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_looks import check
from tests.conftest import draw, upload
from tests.factories import make_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def security_key(page: Page) -> Iterator[CDPSession]:
    """A virtual device of the browser that holds passkeys and always agrees."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield devtools
    devtools.send("WebAuthn.disable")


def confirm_password(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm it’s you")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def add_passkey(site: Site) -> Page:
    page = site.open(reverse("mfa_index"))
    page.get_by_role("link", name="Add a passkey").click()
    confirm_password(page)
    page.get_by_label("Name", exact=True).fill("My laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    return page


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


# --- Passkeys -----------------------------------------------------------------------


def test_sign_in_with_a_passkey_alone(site: Site, member: User, security_key: CDPSession) -> None:
    site.enter(member)
    page = add_passkey(site)
    assert Authenticator.objects.filter(user=member, type="webauthn").count() == 1
    sign_out(page)
    site.open(f"{reverse('account_login')}?next={reverse('mfa_list_webauthn')}")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Passkeys")
    expect(page.get_by_text("My laptop")).to_be_visible()


def test_a_passkey_is_not_asked_for_before_the_script_is_there(
    site: Site, member: User, security_key: CDPSession
) -> None:
    """Without the script the browser would send the form without a passkey."""
    on_their_way: list[Route] = []
    site.page.route("**/js/account/passkeys*.js", lambda route: on_their_way.append(route))
    site.enter(member)
    page = site.open(reverse("mfa_index"))
    page.get_by_role("link", name="Add a passkey").click()
    confirm_password(page)
    button = page.get_by_role("button", name="Add passkey")
    expect(button).to_be_disabled()
    on_their_way[0].continue_()
    button.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")


def test_a_passkey_as_the_second_factor(site: Site, member: User, security_key: CDPSession) -> None:
    site.enter(member)
    page = add_passkey(site)
    sign_out(page)
    # The password alone is not enough for the API either.
    body = {"username": member.username, "password": PASSWORD}
    answer = APIClient().post("/api/v1/auth/login/", body)
    assert answer.json()["errors"][0]["code"] == "mfa_required"
    site.open(reverse("account_login"))
    expect(page.get_by_label("Username or email address")).to_be_focused()
    page.get_by_label("Username or email address").fill(member.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{site.url}/")


def test_a_passkey_says_who_one_is_and_is_removed(
    site: Site, member: User, security_key: CDPSession
) -> None:
    site.enter(member)
    page = add_passkey(site)
    sign_out(page)
    site.open(reverse("account_login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{site.url}/")
    site.open(reverse("mfa_list_webauthn"))
    page.get_by_role("link", name="Remove My laptop").click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert not Authenticator.objects.exists()


def test_a_device_that_refuses_is_no_dead_end(
    site: Site, member: User, security_key: CDPSession
) -> None:
    """The device has no passkey. The page says so, and the password still works."""
    page = site.open(reverse("account_login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    site.sign_in(member)


def test_a_passkey_of_nobody_is_refused(site: Site, member: User, security_key: CDPSession) -> None:
    site.enter(member)
    page = add_passkey(site)
    sign_out(page)
    Authenticator.objects.filter(type="webauthn").delete()
    site.open(reverse("account_login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    site.open(reverse("account_home"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


# --- Authenticator app --------------------------------------------------------------


def test_set_up_the_app_and_sign_in_with_it(site: Site, member: User) -> None:
    site.enter(member)
    page = site.open(reverse("mfa_activate_totp"))
    confirm_password(page)
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = page.locator("#totp-secret-text").inner_text()
    page.get_by_label("Code", exact=True).fill(code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".codes code")).to_have_count(10)
    recovery = page.locator(".codes code").first.inner_text()
    sign_out(page)
    site.open(reverse("account_login"))
    page.get_by_label("Username or email address").fill(member.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/")


# --- Tokens and deleting ------------------------------------------------------------


def test_a_new_token_is_copied(site: Site, member: User) -> None:
    site.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    site.enter(member)
    page = site.open(reverse("account_tokens"))
    page.get_by_label("Name").fill("Backup")
    page.get_by_label("Read and write").check()
    page.get_by_role("button", name="Create token").click()
    confirm_password(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {copied}")
    assert client.get("/api/v1/auth/me/").json()["username"] == member.username
    page.get_by_role("button", name="Revoke Backup").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_who_changes_the_password_is_asked_about_tokens(site: Site, member: User) -> None:
    for name in ("Backup", "Camera"):
        tokens.issue(member, name, "read", 30)
    site.enter(member)
    page = site.open(reverse("account_change_password"))
    page.get_by_label("Current Password").fill(PASSWORD)
    page.get_by_label("New Password", exact=True).fill("another long password")
    page.get_by_label("New Password (again)").fill("another long password")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which tokens may go on?")
    page.get_by_label("Camera").uncheck()
    page.get_by_role("button", name="Revoke the chosen ones").click()
    expect(page.get_by_text("1 token is revoked.")).to_be_visible()
    expect(page.get_by_text("Camera")).to_be_visible()
    expect(page.get_by_text("Backup")).to_have_count(0)


def test_the_account_is_deleted_only_after_typing_its_name(site: Site, member: User) -> None:
    upload(member, title="Mine")
    site.enter(member)
    page = site.open(reverse("account_data"))
    page.get_by_role("link", name="Confirm and go on").click()
    confirm_password(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything").click()
    assert download.value.suggested_filename.startswith("clipsite-dora-")
    page.get_by_role("link", name="Delete my account").click()
    button = page.get_by_role("button", name="Delete the account for good")
    expect(button).to_be_disabled()
    page.get_by_label("Type your username").fill("dor")
    expect(button).to_be_disabled()
    page.get_by_label("Type your username").fill("dora")
    button.click()  # the password was confirmed a moment ago
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is deleted")
    # A worker may have done it already.
    left = User.objects.filter(pk=member.pk).first()
    assert left is None or left.deletion_requested_at is not None


# --- Moderation ---------------------------------------------------------------------


@pytest.fixture
def moderator(member: User) -> User:
    User.objects.filter(pk=member.pk).update(role="moderator")
    member.refresh_from_db()
    return member


def test_a_moderator_hides_a_picture_and_shows_it_again(site: Site, moderator: User) -> None:
    make_space(architecture="starter")
    owner = User.objects.create_user("ann", "ann@example.org", PASSWORD)
    image = upload(owner, draw(600, 400), title="Lighthouse", visibility="public")
    site.expected_errors = ["400", "503"]  # nothing is encoded: no similar pictures
    site.enter(moderator)
    site.page.context.add_cookies([{"name": "viewer-panel", "value": "open", "url": site.url}])
    page = site.open(reverse("image", args=[image.pk]))
    page.get_by_text("Hide this picture").click()
    page.get_by_label("Why? The owner reads it.").fill("Somebody asked for it.")
    page.get_by_role("button", name="Hide the picture").click()
    expect(page.get_by_text("Hidden from everyone but its owner.")).to_be_visible()
    site.open(reverse("moderation"))
    expect(page.get_by_text("Somebody asked for it.")).to_be_visible()
    page.get_by_role("button", name="Show Lighthouse again").click()
    expect(page.get_by_text("Nothing is hidden")).to_be_visible()


# --- Looks --------------------------------------------------------------------------


@pytest.fixture
def pages(site: Site, member: User) -> list[str]:
    """Every page about accounts, with something long on each. The user is signed in."""
    User.objects.filter(pk=member.pk).update(
        role="administrator", is_staff=True, quota_bytes=10**6, quota_images=9
    )
    member.refresh_from_db()
    long = User.objects.create_user("a" * 150, f"{'a' * 60}@example.org", PASSWORD)
    ann = User.objects.create_user("ann", "ann@example.org", PASSWORD)
    image = upload(ann, draw(900, 300), title="long " * 30, visibility="public")
    moderation.hide(image, member, "unbreakable" * 40)
    tokens.issue(member, "x" * 100, "read", 30)
    invitations.invite(member, f"{'b' * 60}@example.org")
    totp.TOTP.activate(member, totp.generate_totp_secret())
    site.page.set_viewport_size({"width": 1280, "height": 800})
    site.sign_out()
    Authenticator.objects.all().delete()
    site.sign_in(member)
    names = [
        "account_home", "account_sessions", "account_tokens", "account_data", "account_delete",
        "account_email", "account_change_password", "mfa_index", "mfa_list_webauthn",
        "invitations", "users", "moderation", "account_reauthenticate", "account_tokens_review",
    ]  # fmt: skip
    site.expected_errors = ["400", "503"]
    return [
        *map(reverse, names),
        reverse("user", args=[long.username]),
        reverse("image", args=[image.pk]),
    ]


@pytest.mark.parametrize("width", [360, 1440])
def test_pages_fit(site: Site, pages: list[str], width: int) -> None:
    site.page.set_viewport_size({"width": width, "height": 800})
    check(site, pages)


def test_pages_in_chinese_fit_a_phone(site: Site, phone: None, pages: list[str]) -> None:
    User.objects.filter(username="dora").update(language="zh-hans")
    site.page.set_viewport_size({"width": 360, "height": 740})
    check(site, pages)
    expect(site.page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_protected_pages_fit_a_phone(
    site: Site, member: User, security_key: CDPSession, phone: None, settings: Any
) -> None:
    site.enter(member)
    add_passkey(site)
    key = Authenticator.objects.get(type="webauthn").pk
    names = ["mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes"]
    check(
        site,
        [
            *map(reverse, names),
            reverse("mfa_generate_recovery_codes"),
            reverse("mfa_edit_webauthn", args=[key]),
            reverse("mfa_remove_webauthn", args=[key]),
            reverse("mfa_reauthenticate_webauthn"),
        ],
    )
    settings.REGISTRATION = "invitation"
    sign_out(site.page)
    check(site, [reverse("account_login"), reverse("account_signup"), reverse("account_inactive")])
