"""Who may register; invitations that are bound, used once, revoked or expired."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from gallery.accounts import invitations, registration, roles
from gallery.errors import Refusal
from gallery.models import Invitation, User
from tests.api_tools import code_of
from tests.conftest import api
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

INVITATIONS = "/api/v1/invitations/"
NEW = {
    "username": "carol",
    "email": "carol@example.org",
    "password1": "a long password",
    "password2": "a long password",
}


@pytest.fixture
def moderator(db: None) -> User:
    user = User.objects.create_user("mo", "mo@example.org", "mo-password")
    roles.take_role(user, User.Role.MODERATOR)
    user.save()
    return user


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "boss@example.org", "boss-password")


@pytest.fixture(params=["invitation", "closed"])
def not_open(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.REGISTRATION = request.param
    return str(request.param)


def signup(invitation: Invitation | None = None, **changes: str) -> Any:
    code = {"invitation": invitation.code} if invitation else {}
    return browser().post(reverse("account_signup"), {**NEW, **code, **changes})


# --- Open or not --------------------------------------------------------------------


def test_everybody_registers_where_it_is_open(settings: Any) -> None:
    settings.REGISTRATION = "open"
    assert reverse("account_signup") in browser().get("/").content.decode()
    assert signup().status_code == 302
    assert User.objects.get().username == "carol"


@pytest.mark.parametrize(
    ("mode", "title"), [("invitation", "By invitation only"), ("closed", "No new accounts")]
)
def test_the_page_says_how_it_is(settings: Any, mode: str, title: str) -> None:
    settings.REGISTRATION = mode
    assert title in browser().get(reverse("account_signup")).content.decode()
    assert title in signup().content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
def test_nothing_leads_to_a_closed_door(not_open: str, path: str) -> None:
    page = browser().get(path, follow=True).content.decode()
    assert reverse("account_signup") not in page


def test_a_registration_that_is_no_word_of_ours_stops_the_start(monkeypatch: Any) -> None:
    from importlib import reload

    from django.core.exceptions import ImproperlyConfigured

    import clipsite.settings

    monkeypatch.setenv("REGISTRATION", "sometimes")
    with pytest.raises(ImproperlyConfigured, match="REGISTRATION"):
        reload(clipsite.settings)


# --- Using one ----------------------------------------------------------------------


def test_an_invitation_lets_one_person_in(not_open: str, moderator: User) -> None:
    invitation = invitations.invite(moderator)
    address = f"{reverse('account_signup')}?invitation={invitation.code}"
    page = browser().get(address).content.decode()
    assert f'value="{invitation.code}"' in page
    assert "You have been invited." in page

    assert signup(invitation).status_code == 302
    invitation.refresh_from_db()
    assert invitation.used_by is not None
    assert invitation.used_by.username == "carol"
    assert not invitation.used_by.is_moderator

    again = signup(invitation, username="dan", email="dan@example.org")
    assert "This invitation does not work" in again.content.decode()
    assert not User.objects.filter(username="dan").exists()


def test_mistakes_in_the_form_do_not_use_it_up(not_open: str, moderator: User) -> None:
    invitation = invitations.invite(moderator)
    page = signup(invitation, password2="another")
    assert f'value="{invitation.code}"' in page.content.decode()
    assert signup(invitation).status_code == 302


def test_a_bound_invitation_is_for_that_address(not_open: str, moderator: User) -> None:
    invitation = invitations.invite(moderator, "Carol@Example.org")
    address = f"{reverse('account_signup')}?invitation={invitation.code}"
    assert 'value="carol@example.org"' in browser().get(address).content.decode()
    wrong = signup(invitation, email="dan@example.org")
    assert "This invitation is for carol@example.org" in wrong.content.decode()
    assert not User.objects.filter(username="carol").exists()
    assert signup(invitation).status_code == 302


@pytest.mark.parametrize("fate", ["revoked", "expired", "demoted", "locked", "unknown"])
def test_what_ends_an_invitation(not_open: str, moderator: User, fate: str) -> None:
    invitation = invitations.invite(moderator)
    match fate:
        case "revoked":
            invitations.revoke(invitation)
        case "expired":
            past = timezone.now() - timedelta(seconds=1)
            Invitation.objects.update(expires_at=past)
        case "demoted":
            User.objects.filter(pk=moderator.pk).update(role="user")
        case "locked":
            User.objects.filter(pk=moderator.pk).update(is_active=False)
        case "unknown":
            invitation.code = "no\x00such"
    assert "This invitation does not work" in signup(invitation).content.decode()
    assert not User.objects.filter(username="carol").exists()


@pytest.mark.django_db(transaction=True)
def test_one_of_two_registrations_at_once_succeeds(settings: Any, moderator: User) -> None:
    settings.REGISTRATION = "invitation"
    invitation = invitations.invite(moderator)
    statuses: list[int] = []
    barrier = threading.Barrier(2)

    def register(name: str) -> None:
        barrier.wait()
        answer = signup(invitation, username=name, email=f"{name}@example.org")
        statuses.append(answer.status_code)
        connection.close()

    threads = [threading.Thread(target=register, args=[name]) for name in ("carol", "dan")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert User.objects.filter(username__in=["carol", "dan"]).count() == 1
    assert 302 in statuses
    # The second one is too late for the page (200) or only for the account (400).
    assert set(statuses) <= {302, 200, 400}


def test_redeeming_twice_is_refused(settings: Any, moderator: User, alice: User) -> None:
    settings.REGISTRATION = "invitation"
    invitation = invitations.invite(moderator)
    invitations.mark_used(invitations.redeem(invitation.code, ""), alice)
    with pytest.raises(Refusal, match="has been used"):
        invitations.redeem(invitation.code, "")
    assert not registration.admits(invitation.code)


# --- Giving them --------------------------------------------------------------------


def test_a_moderator_invites_by_api(moderator: User) -> None:
    answer = api(moderator).post(INVITATIONS, {"email": "new@example.org", "days": 3})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["email"], made["mailed"]) == ("open", "new@example.org", True)
    (message,) = mail.outbox
    assert message.to == ["new@example.org"]
    assert made["url"] in message.body
    assert Invitation.objects.get().code in made["url"]
    left = Invitation.objects.get().expires_at - timezone.now()
    assert timedelta(days=2) < left <= timedelta(days=3)


def test_a_mail_server_that_is_down_does_not_lose_the_invitation(
    moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("gallery.accounts.invitation_mail.send_mail", fail)
    answer = api(moderator).post(INVITATIONS, {"email": "new@example.org"})
    assert (answer.status_code, answer.json()["mailed"]) == (201, False)
    page = browser(moderator).post(
        reverse("invitations"), {"email": "other@example.org", "days": "7"}, follow=True
    )
    assert "Copy its link and pass it on." in page.content.decode()


def test_moderators_see_their_own_administrators_all(
    moderator: User, boss: User, alice: User
) -> None:
    invitations.invite(moderator)
    others = invitations.invite(boss)
    assert len(api(boss).get(INVITATIONS).json()["results"]) == 2
    (mine,) = api(moderator).get(INVITATIONS).json()["results"]
    assert mine["created_by"] == "mo"
    assert api(moderator).delete(f"{INVITATIONS}{others.pk}/").status_code == 404
    assert (
        browser(moderator).post(reverse("invitation_revoke", args=[others.pk])).status_code == 404
    )
    others.refresh_from_db()
    assert others.revoked_at is None
    assert api(boss).delete(f"{INVITATIONS}{mine['id']}/").status_code == 204
    assert api(moderator).get(INVITATIONS).json()["results"][0]["state"] == "revoked"


def test_users_neither_see_nor_make_any(alice: User, moderator: User) -> None:
    invitation = invitations.invite(moderator)
    assert api(alice).get(INVITATIONS).status_code == 404
    assert api(alice).post(INVITATIONS, {}).status_code == 404
    assert api(alice).delete(f"{INVITATIONS}{invitation.pk}/").status_code == 404
    assert api().get(INVITATIONS).status_code == 404
    assert Invitation.objects.live().count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"days": 0}, "min_value"),
        ({"days": 9999}, "max_value"),
        ({"email": "nobody"}, "invalid"),
        ({"email": "ALICE@example.org"}, "email_taken"),
    ],
)
def test_bad_input(moderator: User, alice: User, body: dict[str, Any], code: str) -> None:
    answer = api(moderator).post(INVITATIONS, body)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert not Invitation.objects.exists()


def test_the_page_makes_lists_and_revokes(moderator: User) -> None:
    client = browser(moderator)
    client.post(reverse("invitations"), {"email": "", "days": "7"})
    invitation = Invitation.objects.get()
    page = client.get(reverse("invitations")).content.decode()
    assert f"invitation={invitation.code}" in page
    assert mail.outbox == []
    client.post(reverse("invitation_revoke", args=[invitation.pk]))
    assert "Revoked" in client.get(reverse("invitations")).content.decode()
    assert invitations.usable(invitation.code) is None
