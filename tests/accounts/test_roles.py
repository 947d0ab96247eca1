"""Administration: roles, quotas, locked accounts. One administrator always stays."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from gallery.accounts import deletion, roles
from gallery.errors import Refusal
from gallery.management.commands.prepare_demo import create_first_account
from gallery.models import User
from tests.api_tools import code_of
from tests.conftest import api
from tests.web_tools import browser, confirmed

pytestmark = pytest.mark.django_db

USERS = "/api/v1/users/"
PASSWORD = {"password": "boss-password"}


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "boss@example.org", "boss-password")


@pytest.fixture
def second(db: None) -> User:
    return User.objects.create_superuser("second", "second@example.org", "second-password")


def changed(user: User, **changes: Any) -> User:
    roles.change_account(user, changes)
    return User.objects.get(pk=user.pk)


def refused(user: User, **changes: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        roles.change_account(user, changes)
    return refusal.value.code


# --- The rules ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "is_staff"), [("user", False), ("moderator", False), ("administrator", True)]
)
def test_what_the_admin_goes_by_follows_the_role(
    boss: User, alice: User, role: str, is_staff: bool
) -> None:
    account = changed(alice, role=role)
    assert (account.role, account.is_staff, account.is_superuser) == (role, is_staff, is_staff)
    account = changed(alice, role="user")
    assert (account.is_staff, account.is_superuser) == (False, False)


def test_the_first_account_is_an_administrator(db: None) -> None:
    assert create_first_account("demo", "demo-demo")
    demo = User.objects.get()
    assert demo.is_administrator
    assert demo.is_superuser
    assert not create_first_account("again", "demo-demo")


def test_moderators_are_no_administrators(alice: User, bob: User) -> None:
    roles.take_role(bob, User.Role.MODERATOR)
    assert (roles.is_moderator(bob), roles.is_administrator(bob)) == (True, False)
    assert (roles.is_moderator(alice), roles.is_administrator(alice)) == (False, False)
    bob.is_active = False
    assert not roles.is_moderator(bob)


@pytest.mark.parametrize("change", [{"role": "moderator"}, {"is_active": False}])
def test_the_last_administrator_stays(boss: User, second: User, change: dict[str, Any]) -> None:
    changed(second, **change)
    assert refused(boss, **change) == "last_administrator"
    assert User.objects.get(pk=boss.pk).is_administrator
    with pytest.raises(Refusal):
        deletion.request_deletion(boss)
    assert User.objects.get(pk=boss.pk).is_active


def test_a_locked_administrator_does_not_count(boss: User, second: User) -> None:
    changed(second, is_active=False)
    assert refused(boss, role="user") == "last_administrator"


def test_others_change_where_there_is_no_active_administrator(alice: User) -> None:
    assert changed(alice, quota_images=5).quota_images == 5


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_demote_one_another_at_once(boss: User, second: User) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def demote(user: User) -> None:
        barrier.wait()
        try:
            roles.change_account(user, {"role": "user"})
            outcomes.append("done")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=[user]) for user in (boss, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "last_administrator"]
    assert User.objects.filter(role="administrator").count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"role": "king"}, "bad_role"),
        ({"quota_bytes": -1}, "bad_quota"),
        ({"quota_bytes": 2**63}, "bad_quota"),
        ({"quota_images": "many"}, "bad_quota"),
    ],
)
def test_bad_values_are_refused(alice: User, change: dict[str, Any], code: str) -> None:
    assert refused(alice, **change) == code


def test_an_account_that_is_being_deleted_is_not_brought_back(boss: User, alice: User) -> None:
    deletion.request_deletion(alice)
    assert refused(alice, is_active=True) == "being_deleted"


# --- The API ------------------------------------------------------------------------


def test_administrators_list_and_find_accounts(boss: User, alice: User, bob: User) -> None:
    names = [row["username"] for row in api(boss).get(USERS).json()["results"]]
    assert sorted(names) == ["alice", "bob", "boss"]
    found = api(boss).get(USERS, {"q": "ALICE@"}).json()["results"]
    assert [row["username"] for row in found] == ["alice"]


def test_the_list_comes_in_pages(boss: User, alice: User, bob: User) -> None:
    first = api(boss).get(USERS, {"limit": 2}).json()
    second = api(boss).get(first["next"]).json()
    names = [row["username"] for row in [*first["results"], *second["results"]]]
    assert sorted(names) == ["alice", "bob", "boss"]
    assert second["next"] is None
    bad = api(boss).get(USERS, {"cursor": f"2020-01-01T00:00:00+00:00~{'9' * 30}"})
    assert bad.status_code in (200, 400)


def test_administrators_change_accounts(boss: User, alice: User) -> None:
    body = {"role": "moderator", "quota_bytes": 5000, "quota_images": None, "is_active": False}
    answer = api(boss).patch(f"{USERS}alice/", {**body, **PASSWORD})
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    assert api(boss).get(f"{USERS}alice/").json() == answer.json()
    assert "password" not in answer.json()


def test_the_last_administrator_is_told_so(boss: User) -> None:
    answer = api(boss).patch(f"{USERS}boss/", {"role": "user", **PASSWORD})
    assert (answer.status_code, code_of(answer)) == (400, "last_administrator")


@pytest.mark.parametrize("role", ["user", "moderator"])
@pytest.mark.parametrize("address", [USERS, f"{USERS}bob/", f"{USERS}nobody/"])
def test_only_administrators_find_accounts(alice: User, bob: User, role: str, address: str) -> None:
    changed(alice, role=role)
    assert api(alice).get(address).status_code == 404
    assert api(alice).patch(address, {"role": "administrator"}).status_code in (404, 405)
    assert api().get(address).status_code == 404
    assert not User.objects.filter(role="administrator").exists()


def test_an_unknown_account_is_404(boss: User) -> None:
    assert api(boss).get(f"{USERS}nobody/").status_code == 404
    assert api(boss).get(f"{USERS}a%00b/").status_code == 404


# --- The pages ----------------------------------------------------------------------


def test_an_administrator_changes_an_account_on_its_page(boss: User, alice: User) -> None:
    client = confirmed(boss)
    assert "alice" in client.get(reverse("users"), {"q": "ali"}).content.decode()
    page = reverse("user", args=["alice"])
    assert client.get(page).status_code == 200
    body = {"role": "moderator", "is_active": "on", "quota_megabytes": "2", "quota_images": ""}
    assert client.post(page, body).url == reverse("users")
    alice.refresh_from_db()
    assert (alice.role, alice.is_active, alice.quota_bytes) == ("moderator", True, 2_000_000)
    assert alice.quota_images is None


def test_a_quota_that_is_no_whole_megabyte_is_not_changed_unasked(boss: User, alice: User) -> None:
    changed(alice, quota_bytes=1_234_567)
    body = {"role": "user", "is_active": "on", "quota_megabytes": "2", "quota_images": "9"}
    browser(boss).post(reverse("user", args=["alice"]), body)
    alice.refresh_from_db()
    assert (alice.quota_bytes, alice.quota_images) == (1_234_567, 9)


def test_the_page_says_why_it_refuses(boss: User) -> None:
    body = {"role": "user", "is_active": "on", "quota_megabytes": "", "quota_images": ""}
    page = confirmed(boss).post(reverse("user", args=["boss"]), body).content.decode()
    assert "This is the last administrator." in page


@pytest.mark.parametrize("name", ["users", "moderation", "invitations"])
def test_pages_of_a_role_do_not_exist_for_others(alice: User, name: str) -> None:
    assert browser(alice).get(reverse(name)).status_code == 404
    assert browser().get(reverse(name)).status_code == 302
    assert reverse(name) not in browser(alice).get(reverse("about")).content.decode()


def test_the_menu_of_each_role(alice: User, boss: User) -> None:
    changed(alice, role="moderator")
    moderators = browser(alice).get(reverse("about")).content.decode()
    assert reverse("moderation") in moderators
    assert reverse("users") not in moderators
    assert reverse("users") in browser(boss).get(reverse("about")).content.decode()
