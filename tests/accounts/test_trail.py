"""The trail of security: what it records, for whom, and what it never records."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
)
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from gallery import trail
from gallery.accounts import deletion, invitations, moderation, profile, sessions, tokens
from gallery.accounts.export import export_account
from gallery.errors import Refusal
from gallery.indexing import spaces
from gallery.library import service
from gallery.models import EmbeddingSpace, SecurityEvent, User
from gallery.organising import albums
from gallery.sharing import attempt_limits, groups, link_access, links, shares
from gallery.trail import Event
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.web_tools import confirmed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dispatched")]

LOGIN = "/api/v1/auth/login/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _nothing_yet(alice: User, bob: User) -> None:
    """Forget the events of creating the accounts."""
    SecurityEvent.objects.all().delete()


@pytest.fixture
def admin() -> User:
    made = User.objects.create_superuser("root", "root@example.org", "root-password")
    SecurityEvent.objects.all().delete()
    return made


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    caplog.set_level(logging.INFO, "clipsite.security")
    return lambda: [
        json.loads(each.getMessage())
        for each in caplog.records
        if each.name == "clipsite.security" and each.exc_info is None
    ]


def events(**conditions: Any) -> list[tuple[str, str, str]]:
    """Return (kind, account, actor) of each event, the oldest first."""
    rows = SecurityEvent.objects.filter(**conditions).order_by("pk")
    return [(row.kind, row.account_name, row.actor_name) for row in rows]


def only(kind: str) -> SecurityEvent:
    return SecurityEvent.objects.get(kind=kind)


def sign_in(client: Client, name: str, password: str) -> Any:
    return client.post("/accounts/login/", {"login": name, "password": password})


# --- Signing in, everywhere ---------------------------------------------------------------


def test_signing_in_and_out_on_the_page(client: Client, alice: User) -> None:
    client.defaults["HTTP_USER_AGENT"] = FIREFOX
    sign_in(client, "alice", "alice-password")
    client.post("/accounts/logout/")
    assert events() == [("signed_in", "alice", "alice"), ("signed_out", "alice", "alice")]
    row = only("signed_in")
    assert (row.source, row.address, row.agent) == ("page", "127.0.0.1", "Firefox · Linux")
    assert row.details == {"methods": ["password"]}
    assert row.account == row.actor == alice


def test_signing_in_and_out_with_the_api(alice: User) -> None:
    answer = api().post(LOGIN, {"username": "alice", "password": "alice-password"})
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    client.post("/api/v1/auth/logout/")
    assert events() == [
        ("signed_in", "alice", "alice"),
        ("sign_in_token_ended", "alice", "alice"),
        ("signed_out", "alice", "alice"),
    ]
    assert {row.source for row in SecurityEvent.objects.all()} == {"api"}


def test_behind_a_proxy_the_address_is_that_of_the_limits(client: Client, settings: Any) -> None:
    settings.PROXY_COUNT = 1
    client.defaults["HTTP_X_FORWARDED_FOR"] = "9.9.9.9, 203.0.113.7"
    sign_in(client, "alice", "wrong")
    assert only("sign_in_failed").address == "203.0.113.7"


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@example.org", "Alice@Example.Org"])
def test_a_wrong_password_is_told_of_the_account(client: Client, name: str) -> None:
    sign_in(client, name, "hunter2-hunter2")
    api().post(LOGIN, {"username": name, "password": "hunter2-hunter2"})
    assert events() == [("sign_in_failed", "alice", "")] * 2
    assert [row.source for row in SecurityEvent.objects.order_by("pk")] == ["page", "api"]


def test_a_name_that_nobody_has_is_not_kept(
    client: Client, lines: Callable[[], list[dict[str, Any]]], caplog: pytest.LogCaptureFixture
) -> None:
    """The name may be a password in the wrong field."""
    typed = "MyRealPassword!7"
    sign_in(client, typed, "x")
    api().post(LOGIN, {"username": typed, "password": "x"})
    assert [kind for kind, *_names in events()] == ["sign_in_failed"] * 2
    assert typed not in everything()
    assert typed not in caplog.text
    assert len(lines()) == 2


def test_a_name_with_a_null_is_no_error(client: Client) -> None:
    assert sign_in(client, "al\x00ice", "x").status_code == 200
    assert api().post(LOGIN, {"username": "al\x00ice", "password": "x"}).status_code in {400, 401}


def test_being_locked_out_is_told(client: Client) -> None:
    for _try in range(30):
        sign_in(client, "alice", "wrong")
    assert only("sign_in_failed").times >= 5
    assert only("sign_in_locked").times >= 1


def test_the_password_that_confirms_is_told_apart(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    SecurityEvent.objects.all().delete()
    client.post("/accounts/reauthenticate/", {"password": "wrong"})
    api(bob).delete("/api/v1/account/", {"password": "wrong"})
    assert events() == [
        ("confirmation_failed", "alice", "alice"),
        ("confirmation_failed", "bob", "bob"),
    ]


def test_second_factors(client: Client, alice: User, caplog: pytest.LogCaptureFixture) -> None:
    secret = generate_totp_secret()
    factor = TOTP.activate(alice, secret).instance
    codes = RecoveryCodes.activate(alice)
    given = codes.get_unused_codes()
    assert events() == [("second_factor_added", "alice", ""), ("recovery_codes_made", "alice", "")]
    SecurityEvent.objects.all().delete()

    credentials = {"username": "alice", "password": "alice-password"}
    assert api().post(LOGIN, {**credentials, "otp": "000000"}).status_code == 401
    assert api().post(LOGIN, {**credentials, "otp": given[0]}).status_code == 200
    sign_in(client, "alice", "alice-password")
    client.post("/accounts/2fa/authenticate/", {"code": given[1]})
    kinds = [kind for kind, *_names in events()]
    assert kinds == [
        "second_factor_failed",
        "recovery_code_used",
        "signed_in",
        "recovery_code_used",
        "signed_in",
    ]
    assert only("second_factor_failed").account == alice
    last = SecurityEvent.objects.filter(kind="signed_in").latest("pk")
    assert last.details["methods"] == ["password", "recovery_codes"]
    factor.delete()
    assert SecurityEvent.objects.filter(kind="second_factor_removed").count() == 1
    for code in [secret, "000000", *given]:
        assert code not in everything()
        assert code not in caplog.text


# --- Passwords, addresses, tokens, sessions -----------------------------------------------


def by_hand(user: User) -> None:
    user.set_password("new-password-1")
    user.save()


def by_command(user: User) -> None:
    answers = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", lambda **_prompt: "quite-new-word-1")
        call_command("changepassword", user.get_username(), stdout=answers)


@pytest.mark.parametrize("change", [by_hand, by_command])
def test_a_password_is_told_wherever_it_is_set(alice: User, change: Callable[[User], None]) -> None:
    change(alice)
    row = only("password_changed")
    assert (row.account, row.actor, row.source) == (alice, None, "command")


def test_a_hash_that_is_made_anew_is_no_new_password(
    client: Client, alice: User, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = alice.password
    sign_in(client, "alice", "alice-password")
    alice.refresh_from_db()
    assert alice.password != before
    assert [kind for kind, *_names in events()] == ["signed_in"]


def test_the_password_by_page_by_mail_and_by_an_administrator(
    client: Client, alice: User, bob: User, admin: User
) -> None:
    sign_in(client, "alice", "alice-password")
    new = {"oldpassword": "alice-password", "password1": "Bx7-quelle", "password2": "Bx7-quelle"}
    client.post("/accounts/password/change/", new)
    assert ("password_changed", "alice", "alice") in events()

    stranger = Client()
    stranger.post("/accounts/password/reset/", {"email": "bob@example.org"})
    assert ("password_reset_asked", "bob", "") in events()
    (address,) = re.findall(r"https?://\S+?(/\S+)", str(mail.outbox[-1].body))[:1]
    form = stranger.get(address, follow=True)
    reset = {"password1": "Kw3-regent", "password2": "Kw3-regent"}
    stranger.post(form.request["PATH_INFO"], reset)
    assert ("password_reset", "bob", "") in events()
    assert ("password_changed", "bob", "") in events()

    master = confirmed(admin)
    answer = master.post(
        f"/admin/gallery/user/{bob.pk}/password/",
        {"password1": "Zt9-lampe-ost", "password2": "Zt9-lampe-ost", "usable_password": "true"},
    )
    assert answer.status_code == 302
    row = SecurityEvent.objects.filter(kind="password_changed").latest("pk")
    assert (row.account, row.actor, row.source) == (bob, admin, "admin")
    for word in ("Bx7-quelle", "Kw3-regent", "Zt9-lampe-ost", address):
        assert word not in everything()


def test_addresses_are_told_shortened(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="alice@example.org", primary=True)
    SecurityEvent.objects.all().delete()
    profile.replace_email(alice, "new.address@example.net")
    assert {(row.kind, row.details["email"]) for row in SecurityEvent.objects.all()} == {
        ("email_removed", "a…@example.org"),
        ("email_added", "n…@example.net"),
        ("email_changed", "n…@example.net"),
    }
    assert "new.address" not in everything()


def test_tokens(alice: User, bob: User) -> None:
    described, secret = tokens.issue(alice, "backup", "read", None)
    kept, _secret = tokens.issue(alice, "phone", "write", 3)
    assert not tokens.revoke(bob, described.pk)
    assert tokens.revoke(alice, described.pk)
    AuthToken.objects.create(alice)
    tokens.end_all(alice)
    assert [(row.kind, row.target) for row in SecurityEvent.objects.order_by("pk")][:3] == [
        ("token_issued", f"apitoken:{described.pk}"),
        ("token_issued", f"apitoken:{kept.pk}"),
        ("token_ended", f"apitoken:{described.pk}"),
    ]
    assert sorted(kind for kind, *_names in events()[3:]) == ["sign_in_token_ended", "token_ended"]
    assert {name for _kind, name, _by in events()} == {"alice"}
    assert secret not in everything()
    assert secret[:8] not in everything()


def test_sessions(alice: User) -> None:
    browsers = [Client(headers={"user-agent": FIREFOX}) for _number in range(3)]
    for browser in browsers:
        sign_in(browser, "alice", "alice-password")
    SecurityEvent.objects.all().delete()
    first, *_rest = sessions.sessions_of(alice)
    sessions.end(alice, first.pk)
    sessions.end_all(alice)
    assert only("session_ended").details == {"browser": "Firefox · Linux"}
    assert only("sessions_ended").details == {"count": 2}


def test_roles_and_quotas(admin: User, alice: User) -> None:
    client = api(admin)
    changes = {"role": "moderator", "is_active": False, "quota_bytes": 5, "quota_images": None}
    changes["password"] = "root-password"
    assert client.patch("/api/v1/users/alice/", changes).status_code == 200
    told = [(row.kind, row.details, row.actor) for row in SecurityEvent.objects.order_by("pk")]
    assert told == [
        ("role_changed", {"field": "role", "before": "user", "after": "moderator"}, admin),
        ("active_changed", {"field": "is_active", "before": True, "after": False}, admin),
        ("quota_changed", {"field": "quota_bytes", "before": None, "after": 5}, admin),
    ]


def test_a_refused_change_of_rights_leaves_nothing(admin: User) -> None:
    own = {"role": "user", "password": "root-password"}
    assert code_of(api(admin).patch("/api/v1/users/root/", own)) == "last_administrator"
    master = confirmed(admin)
    SecurityEvent.objects.all().delete()
    master.post(f"/admin/gallery/user/{admin.pk}/change/", {"username": "root", "role": "user"})
    assert events() == []


# --- Sharing, moderation, accounts, spaces ------------------------------------------------


def test_links(alice: User, bob: User, caplog: pytest.LogCaptureFixture) -> None:
    album = albums.create(alice, "Holiday")
    link = links.create_link(by=alice, album=album, password="open-sesame")
    links.change_link(link, {"password": "another-word", "max_uses": 5})
    for _try in range(3):
        with pytest.raises(Refusal, match="not the password"):
            link_access.begin(link, "guess-guess", "203.0.113.7")
    links.revoke_link(link)
    links.revoke_link(link)
    assert [kind for kind, *_names in events()] == [
        "link_made",
        "link_changed",
        "link_password_failed",
        "link_revoked",
    ]
    assert only("link_made").details == {"shows": f"album:{album.pk}"}
    assert only("link_changed").details == {"fields": ["max_uses", "password"]}
    failed = only("link_password_failed")
    assert (failed.times, failed.account, failed.target) == (3, alice, f"sharelink:{link.pk}")
    for word in ("open-sesame", "another-word", "guess-guess", link.token):
        assert word not in everything()
        assert word not in caplog.text


def test_tries_that_are_too_many(alice: User) -> None:
    for _try in range(2):
        attempt_limits.count(f"names:{alice.pk}", 2, 600)
    for _try in range(3):
        with pytest.raises(attempt_limits.TooManyAttempts):
            attempt_limits.count(f"names:{alice.pk}", 2, 600)
    assert (only("tries_locked").times, only("tries_locked").details) == (3, {"what": "names"})


def test_people_and_groups(alice: User, bob: User) -> None:
    album = albums.create(alice, "Holiday")
    share, _is_new = shares.share_with_person(album, "bob", "view", alice)
    shares.change_role(share, "manage")
    shares.leave(album, bob)
    group = groups.create_group(alice, "Family")
    groups.add_member(group, "bob")
    shares.share_with_group(album, group.pk, "view", alice)
    groups.remove_member(group, bob)
    groups.delete_group(group)
    told = [(row.kind, row.details.get("role")) for row in SecurityEvent.objects.order_by("pk")]
    assert told == [
        ("shared", "view"),
        ("share_changed", "manage"),
        ("share_ended", "manage"),
        ("member_added", None),
        ("shared", "view"),
        ("member_removed", None),
        ("group_deleted", None),
    ]
    assert {row.account for row in SecurityEvent.objects.all()} == {alice}


def test_what_moderators_do(admin: User, alice: User, bob: User) -> None:
    image = upload(alice, visibility="public")
    api(admin).post(f"/api/v1/images/{image.pk}/hide/", {"reason": "no"})
    moderation.hide(image, bob, "because")
    moderation.unhide(image, admin)
    assert SecurityEvent.objects.filter(kind="picture_hidden").count() >= 1
    assert only("picture_unhidden").actor == admin
    SecurityEvent.objects.all().delete()

    master = Client()
    master.force_login(admin)
    SecurityEvent.objects.all().delete()
    for action in ("move_to_trash", "restore"):
        master.post("/admin/gallery/image/", {"action": action, "_selected_action": str(image.pk)})
    master.post(f"/admin/gallery/image/{image.pk}/delete/", {"post": "yes"})
    assert events() == [
        ("picture_deleted", "alice", "root"),
        ("picture_restored", "alice", "root"),
        ("picture_purged", "alice", "root"),
    ]


def test_owners_leave_no_trail_in_their_own_library(alice: User) -> None:
    image = upload(alice)
    client = api(alice)
    client.patch(f"/api/v1/images/{image.pk}/", {"title": "new"})
    client.delete(f"/api/v1/images/{image.pk}/")
    client.post(f"/api/v1/images/{image.pk}/restore/")
    service.purge_image(image)
    assert events() == []


def test_invitations(admin: User, bob: User) -> None:
    used, revoked = invitations.invite(admin), invitations.invite(admin)
    invitations.mark_used(used, bob)
    invitations.revoke(revoked)
    invitations.revoke(revoked)
    assert [(row.kind, row.target) for row in SecurityEvent.objects.order_by("pk")] == [
        ("invitation_made", f"invitation:{used.pk}"),
        ("invitation_made", f"invitation:{revoked.pk}"),
        ("invitation_used", f"invitation:{used.pk}"),
        ("invitation_revoked", f"invitation:{revoked.pk}"),
    ]
    assert used.code not in everything()


def test_new_accounts(client: Client) -> None:
    word = "Jt5-hafer-ost"
    names = {"username": "carol", "email": "carol@example.org"}
    client.post("/accounts/signup/", {**names, "password1": word, "password2": word})
    kinds = [kind for kind, *_names in events()]
    assert "account_made" in kinds
    assert "signed_in" in kinds
    call_command("createsuperuser", "--noinput", username="dora", email="dora@example.org")
    made = SecurityEvent.objects.get(kind="account_made", account_name="dora")
    assert (made.source, made.details) == ("command", {"role": "administrator"})


def test_spaces(admin: User) -> None:
    space = EmbeddingSpace.objects.create(architecture="a", dimensions=3, state="retired")
    spaces.roll_back()
    row = only("space_activated")
    assert (row.target, row.account) == (f"embeddingspace:{space.pk}", None)


# --- Accounts that go, and what they may read of it ---------------------------------------


def test_the_trail_outlives_the_account(alice: User, bob: User) -> None:
    tokens.issue(alice, "backup", "read", None)
    EmailAddress.objects.create(user=alice, email="alice@example.org", primary=True)
    deletion.request_deletion(alice)
    deletion.remove_requested()
    assert not User.objects.filter(pk=alice.pk).exists()
    rows = SecurityEvent.objects.all()
    assert {row.kind for row in rows} >= {
        "token_issued",
        "token_ended",
        "account_deletion_asked",
        "account_removed",
    }
    assert "email_removed" not in {row.kind for row in rows}, "it went with the account"
    assert {row.account_id for row in rows} == {None}
    assert {row.account_name for row in rows} == {"alice", ""}
    assert SecurityEvent.objects.get(kind="account_removed").details == {"name": "alice"}


def test_the_export_has_ones_own_events_alone(alice: User, bob: User, admin: User) -> None:
    tokens.issue(bob, "bob's", "read", None)
    client = api(admin)
    client.defaults["REMOTE_ADDR"] = "198.51.100.9"
    client.patch("/api/v1/users/alice/", {"quota_bytes": 7})
    exported = json.loads(description(alice))["security_events"]
    assert [(row["event"], row["by_you"]) for row in exported] == [
        ("quota_changed", False),
        ("account_exported", False),
    ]
    assert exported[0]["address"] == "", "where the administrator sits is not hers to know"
    assert "root" not in json.dumps(exported)
    assert "bob" not in json.dumps(exported)


def description(user: User) -> str:
    content = b"".join(export_account(user).content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("clipsite.json").decode()


def test_the_trail_ends_after_its_days(alice: User, settings: Any) -> None:
    settings.SECURITY_EVENT_DAYS = 10
    trail.record(Event.TOKEN_ISSUED, alice)
    trail.record(Event.TOKEN_ENDED, alice)
    long_ago = timezone.now() - timedelta(days=11)
    SecurityEvent.objects.filter(kind="token_issued").update(at=long_ago)
    assert trail.forget_old() == 1
    assert events() == [("token_ended", "alice", "")]


def test_only_administrators_see_it(alice: User, admin: User) -> None:
    trail.record(Event.TOKEN_ISSUED, alice)
    page = "/admin/gallery/securityevent/"
    ours, theirs = Client(), Client()
    ours.force_login(admin)
    theirs.force_login(alice)
    assert "token_issued" in ours.get(page).content.decode()
    assert theirs.get(page).status_code == 302
    pk = only("token_issued").pk
    assert ours.get(f"{page}{pk}/change/").status_code == 200
    assert ours.post(f"{page}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert ours.get(f"{page}add/").status_code == 403


# --- How it is written --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_event_without_its_act(alice: User, lines: Callable[[], list[dict[str, Any]]]) -> None:
    def begin() -> None:
        with transaction.atomic():
            trail.record(Event.TOKEN_ISSUED, alice)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        begin()
    assert events() == []
    assert lines() == []
    with transaction.atomic():
        trail.record(Event.TOKEN_ISSUED, alice)
        assert lines() == []
    assert [line["event"] for line in lines()] == ["token_issued"]


@pytest.mark.django_db(transaction=True)
def test_a_failure_outlasts_the_transaction_that_it_ends(
    alice: User, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    def refuse() -> None:
        with trail.coming_from(trail.Origin("api", "203.0.113.7")), transaction.atomic():
            trail.failed(Event.SIGN_IN_FAILED, alice)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        refuse()
    assert events() == [("sign_in_failed", "alice", "")]
    assert [(line["event"], line["address"]) for line in lines()] == [
        ("sign_in_failed", "203.0.113.7")
    ]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_written_keeps_nobody_out(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise DatabaseError("no room")

    monkeypatch.setattr(SecurityEvent, "save", refuse)
    assert sign_in(client, "alice", "wrong").status_code == 200
    assert sign_in(client, "alice", "alice-password").status_code == 302
    login = {"username": "alice", "password": "alice-password"}
    assert api().post(LOGIN, login).status_code == 200
    described, _secret = tokens.issue(alice, "backup", "read", None)
    assert tokens.has(alice, described.pk)
    assert "The event signed_in is not written" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_fails_does_not_spoil_the_act(alice: User) -> None:
    """PostgreSQL refuses all later statements of a transaction, unless it had a savepoint."""
    with transaction.atomic():
        trail._write(SecurityEvent(kind="x" * 41), SecurityEvent.save)
        User.objects.filter(pk=alice.pk).update(display_name="still here")
    alice.refresh_from_db()
    assert alice.display_name == "still here"


def test_failures_are_one_row_that_counts(client: Client, alice: User, bob: User) -> None:
    for _try in range(7):
        trail.failed(Event.SIGN_IN_FAILED, alice)
    trail.failed(Event.SIGN_IN_FAILED, bob)
    trail.failed(Event.SIGN_IN_FAILED)
    trail.failed(Event.SIGN_IN_FAILED)
    counted = SecurityEvent.objects.order_by("pk").values_list("account_name", "times")
    assert list(counted) == [("alice", 7), ("bob", 1), ("", 2)]
    SecurityEvent.objects.update(at=timezone.now() - timedelta(hours=2))
    trail.failed(Event.SIGN_IN_FAILED, alice)
    assert SecurityEvent.objects.filter(account=alice).count() == 2


def test_a_crowd_of_addresses_fills_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "_MOST_FAILURES", 5)
    for number in range(40):
        with trail.coming_from(trail.Origin("api", f"2001:db8::{number:x}")):
            trail.failed(Event.SIGN_IN_FAILED)
    rows = SecurityEvent.objects.all()
    assert len(rows) == 6
    assert sum(row.times for row in rows) == 40
    assert [row.times for row in rows.filter(address="")] == [35]


def test_what_a_client_says_breaks_no_line(
    client: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Headers enter the row and the log in one line, cut to a length, without characters that
    PostgreSQL refuses."""
    settings.PROXY_COUNT = 1
    client.defaults["HTTP_X_FORWARDED_FOR"] = "evil\nINFO fake: \x00" + "9" * 500
    client.defaults["HTTP_USER_AGENT"] = "x\r\ny\x00" + "z" * 500
    assert sign_in(client, "alice", "wrong").status_code == 200
    row = only("sign_in_failed")
    assert len(row.address) <= 64
    assert len(row.agent) <= 60
    assert "\n" not in row.address + row.agent
    (told,) = [each for each in caplog.records if each.name == "clipsite.security"]
    assert "\n" not in told.getMessage()


def everything() -> str:
    """Return the whole content of the table."""
    rows = SecurityEvent.objects.all().values()
    return json.dumps([{name: str(value) for name, value in row.items()} for row in rows])


def test_every_kind_fits_its_column() -> None:
    assert max(len(kind) for kind in Event) <= 40
