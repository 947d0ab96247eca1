"""Deleting an account. The account is gone at once for everybody, its files leave the disk soon,
and nobody else loses anything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.urls import reverse
from django.utils import timezone

from gallery import sweep, task_names, tasks
from gallery.accounts import deletion
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Favourite,
    Group,
    Image,
    ShareLink,
    Tag,
    User,
)
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.library_tools import stored_files
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

ACCOUNT = "/api/v1/account/"
PASSWORD = {"password": "alice-password"}


@pytest.fixture
def shared(alice: User, bob: User, dispatched: list[Any]) -> dict[str, Any]:
    """Pictures of alice, public, unlisted and in the trash, and one of bob in her album."""
    public = upload(alice, draw(colour="red"), visibility="public")
    upload(alice, draw(colour="blue"), visibility="unlisted")
    trashed = upload(alice, draw(colour="green"))
    Image.objects.filter(pk=trashed.pk).update(deleted_at=trashed.created_at)
    bobs = upload(bob, draw(colour="red"))
    album = Album.objects.create(owner=alice, title="Ours")
    AlbumShare.objects.create(album=album, user=bob, role="add")
    for position, image in enumerate((public, bobs)):
        AlbumItem.objects.create(album=album, image=image, position=position)
    group = Group.objects.create(owner=alice, name="Family")
    group.members.add(bob)
    link = ShareLink.objects.create(album=album, created_by=alice)
    Favourite.objects.create(user=bob, image=public)
    Favourite.objects.create(user=alice, image=bobs)
    Tag.objects.create(owner=alice, name="sea").images.add(public)
    return {"public": public, "bobs": bobs, "album": album, "link": link}


def remove(user: User, callbacks: Any) -> bool:
    """Let the workers run. Return whether the account is gone."""
    with callbacks(execute=True):
        deletion.remove_requested()
    return not User.objects.filter(pk=user.pk).exists()


# --- At once ------------------------------------------------------------------------


def test_everything_disappears_at_once(
    alice: User, bob: User, shared: dict[str, Any], dispatched: list[Any]
) -> None:
    client, page = api(alice), browser()
    login = {"login": "alice", "password": "alice-password"}
    page.post(reverse("account_login"), login)
    assert UserSession.objects.filter(user=alice).exists()
    public, album = shared["public"], shared["album"]
    assert Image.objects.visible_to(bob).filter(pk=public.pk).exists()

    assert client.delete(ACCOUNT, PASSWORD).status_code == 204

    assert client.get(ACCOUNT).status_code == 401
    assert page.get(reverse("account_home")).status_code == 302
    assert not UserSession.objects.filter(user=alice).exists()
    assert "locked" in browser().post(reverse("account_login"), login, follow=True).content.decode()
    for viewer in (bob, User.objects.create_superuser("boss", "", "boss-password")):
        assert not Image.objects.reachable_by(viewer).filter(owner=alice).exists()
        assert not Album.objects.visible_to(viewer).filter(pk=album.pk).exists()
    assert not ShareLink.objects.live().exists()
    assert not Group.objects.exists()
    assert api(bob).get(f"/api/v1/images/{public.pk}/file/").status_code == 404
    assert (task_names.REMOVE_ACCOUNTS,) in dispatched


def test_the_password_is_needed_even_by_session(alice: User, shared: dict[str, Any]) -> None:
    client = browser(alice)
    wrong = client.delete(ACCOUNT, {"password": "guess"}, content_type="application/json")
    assert (wrong.status_code, code_of(wrong)) == (400, "wrong_password")
    assert client.delete(ACCOUNT, content_type="application/json").status_code == 400
    alice.refresh_from_db()
    assert alice.is_active


def test_strangers_delete_nothing(alice: User) -> None:
    assert api().delete(ACCOUNT, PASSWORD).status_code == 401
    alice.refresh_from_db()
    assert alice.is_active


def test_the_last_administrator_stays(db: None) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    answer = api(boss).delete(ACCOUNT, {"password": "boss-password"})
    assert (answer.status_code, code_of(answer)) == (400, "last_administrator")
    body = {"username": "boss", "password": "boss-password"}
    page = browser(boss).post(reverse("account_delete"), body)
    assert "This is the last administrator." in page.content.decode()


def test_repeating_it_changes_nothing(alice: User, dispatched: list[Any]) -> None:
    deletion.request_deletion(alice)
    first = User.objects.get(pk=alice.pk).deletion_requested_at
    deletion.request_deletion(alice)
    assert User.objects.get(pk=alice.pk).deletion_requested_at == first


# --- By the worker ------------------------------------------------------------------


def test_the_worker_removes_rows_and_files_of_this_account_alone(
    alice: User,
    bob: User,
    shared: dict[str, Any],
    media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Bob has the same bytes as alice in a file of his own, which stays."""
    deletion.request_deletion(alice)
    assert remove(alice, django_capture_on_commit_callbacks)
    assert not User.objects.filter(pk=alice.pk).exists()
    assert list(Image.objects.all()) == [shared["bobs"]]
    assert stored_files(media) == [str(shared["bobs"].file.name)]
    assert not Favourite.objects.exists()
    assert not Tag.objects.exists()
    assert api(bob).get(f"/api/v1/images/{shared['bobs'].pk}/file/").status_code == 200


def test_name_and_address_are_free_again(
    alice: User, dispatched: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    deletion.request_deletion(alice)
    remove(alice, django_capture_on_commit_callbacks)
    body = {"username": "alice", "email": "alice@example.org"}
    passwords = {"password1": "another long one", "password2": "another long one"}
    browser().post(reverse("account_signup"), {**body, **passwords})
    assert User.objects.get(username="alice").pk != alice.pk


def test_a_worker_that_dies_goes_on_later(
    alice: User,
    shared: dict[str, Any],
    media: Path,
    dispatched: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    deletion.request_deletion(alice)
    purge, purged = deletion.purge_image, []

    def die_at_the_second(image: Image) -> None:
        if purged:
            raise KeyboardInterrupt
        purged.append(image.pk)
        purge(image)

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "purge_image", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            remove(alice, django_capture_on_commit_callbacks)
    assert Image.objects.filter(owner=alice).count() == 2
    assert list(deletion.requested()) == [alice]
    assert not remove(alice, django_capture_on_commit_callbacks), "until its lease is over"
    assert task_names.REMOVE_ACCOUNTS not in sweep.waiting()

    User.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert task_names.REMOVE_ACCOUNTS in sweep.waiting({"chores"})
    with django_capture_on_commit_callbacks(execute=True):
        tasks.remove_accounts()
    assert not deletion.requested().exists()
    assert not Image.objects.filter(owner_id=alice.pk).exists()


def test_what_arrives_meanwhile_goes_too(
    alice: User,
    dispatched: list[Any],
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    upload(alice, draw(colour="red"))
    deletion.request_deletion(alice)
    purge = deletion.purge_image

    def and_upload(image: Image) -> None:
        purge(image)
        monkeypatch.setattr(deletion, "purge_image", purge)
        upload(alice, draw(colour="blue"))

    monkeypatch.setattr(deletion, "purge_image", and_upload)
    assert remove(alice, django_capture_on_commit_callbacks)
    assert stored_files(media) == []


def test_an_account_that_nobody_deleted_is_left_alone(
    alice: User, shared: dict[str, Any], django_capture_on_commit_callbacks: Any
) -> None:
    assert not remove(alice, django_capture_on_commit_callbacks)
    assert Image.objects.filter(owner=alice).count() == 3


# --- The pages ----------------------------------------------------------------------


def test_the_page_says_what_goes_and_offers_the_export(alice: User, shared: dict[str, Any]) -> None:
    page = browser(alice).get(reverse("account_delete")).content.decode()
    for loss in ("3 pictures, with their files", "1 album", "1 group", "1 link"):
        assert loss in page
    assert reverse("account_export") in page


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"username": "Alice"}, "Type your username exactly."),
        ({"username": "bob"}, "Type your username exactly."),
        ({"password": "guess"}, "This is not your password."),
        ({"password": ""}, "This is not your password."),
    ],
)
def test_both_have_to_be_right(
    alice: User, bob: User, dispatched: list[Any], wrong: dict[str, str], text: str
) -> None:
    body = {"username": "alice", **PASSWORD, **wrong}
    page = browser(alice).post(reverse("account_delete"), body)
    assert text in page.content.decode()
    assert User.objects.filter(is_active=True).count() == 2


def test_deleting_on_the_page_signs_out(alice: User, bob: User, dispatched: list[Any]) -> None:
    client = browser(alice)
    body = {"username": "alice", **PASSWORD}
    page = client.post(reverse("account_delete"), body, follow=True)
    assert "Your account is deleted" in page.content.decode()
    assert client.get(reverse("account_home")).status_code == 302
    bob.refresh_from_db()
    assert bob.is_active
    assert list(deletion.requested()) == [alice]
