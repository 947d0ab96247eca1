"""Notices of what is shared: one for each person and act, for as long as the share lasts."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import override_settings

from gallery.accounts import deletion, export_records
from gallery.library import caps
from gallery.models import Album, AlbumShare, Group, Notice, User
from gallery.sharing import notices, shares
from tests.conftest import api, upload
from tests.sharing_tools import album_of
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

NOTICES = "/api/v1/notices/"


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", password="carol-password")


@pytest.fixture
def album(alice: User) -> Album:
    return album_of(alice, upload(alice), title="Holidays in June")


def told_to(user: User) -> list[str]:
    return [row["album"]["title"] for row in api(user).get(NOTICES).json()["results"]]


def unseen(user: User) -> int:
    return notices.unseen_count(user)


def test_the_person_is_told_and_nobody_else(alice, bob, carol, album) -> None:
    shares.share_with_person(album, "bob", "view", alice)
    assert told_to(bob) == ["Holidays in June"]
    assert told_to(alice) == told_to(carol) == []
    (row,) = api(bob).get(NOTICES).json()["results"]
    assert (row["kind"], row["actor"], row["seen_at"]) == ("album", {"username": "alice"}, None)


def test_the_bell_counts_until_the_page_is_looked_at(alice, bob, album) -> None:
    shares.share_with_person(album, "bob", "view", alice)
    assert "Notices, 1 new" in browser(bob).get("/").content.decode()
    page = browser(bob).get("/notices/").content.decode()
    assert "alice shares the album “Holidays in June” with you" in page
    assert "Notices, 1 new" not in browser(bob).get("/").content.decode()
    assert told_to(bob) == ["Holidays in June"]


def test_head_and_the_api_do_not_mark_it_as_seen(alice, bob, album) -> None:
    shares.share_with_person(album, "bob", "view", alice)
    browser(bob).head("/notices/")
    api(bob).get(NOTICES)
    assert unseen(bob) == 1
    assert api(bob).post(f"{NOTICES}seen/").json() == {"seen": 1}
    assert api(bob).post(f"{NOTICES}seen/").json() == {"seen": 0}
    assert unseen(bob) == 0


def test_who_looks_at_the_album_has_seen_its_notice_alone(alice, bob, album) -> None:
    other = album_of(alice, title="Another")
    for each in (album, other):
        shares.share_with_person(each, "bob", "view", alice)
    browser(bob).get(f"/albums/{album.pk}/")
    new = Notice.objects.filter(recipient=bob, seen_at=None)
    assert [notice.album for notice in new] == [other]


def test_a_notice_ends_with_the_share_and_comes_again_with_a_new_one(alice, bob, album) -> None:
    share, _new = shares.share_with_person(album, "bob", "view", alice)
    browser(bob).get("/notices/")
    shares.remove(share)
    assert told_to(bob) == []
    page = browser(bob).get("/notices/").content.decode()
    assert "Holidays in June" not in page
    shares.share_with_person(album, "bob", "view", alice)
    assert told_to(bob) == ["Holidays in June"]
    assert unseen(bob) == 1


def test_a_trashed_album_hides_its_notice(alice, bob, album) -> None:
    shares.share_with_person(album, "bob", "view", alice)
    api(alice).delete(f"/api/v1/albums/{album.pk}/")
    assert told_to(bob) == []
    assert unseen(bob) == 0


def test_a_change_of_the_role_tells_nobody_again(alice, bob, album) -> None:
    shares.share_with_person(album, "bob", "view", alice)
    notices.mark_seen(bob)
    shares.share_with_person(album, "bob", "manage", alice)
    assert unseen(bob) == 0


def test_members_of_a_group_are_told_once_and_owner_and_actor_never(
    alice, bob, carol, album
) -> None:
    shares.share_with_person(album, "bob", "manage", alice)
    notices.mark_seen(bob)
    everybody = Group.objects.create(owner=bob, name="Everybody")
    everybody.members.add(alice, bob, carol)
    shares.share_with_group(album, everybody.pk, "view", bob)
    assert unseen(bob) == unseen(alice) == 0
    assert told_to(carol) == ["Holidays in June"]
    (notice,) = Notice.objects.filter(recipient=carol)
    assert notice.actor == bob


def test_who_leaves_the_group_loses_the_notice(alice, carol, album) -> None:
    group = Group.objects.create(owner=alice, name="Family")
    group.members.add(carol)
    shares.share_with_group(album, group.pk, "view", alice)
    group.members.remove(carol)
    assert told_to(carol) == []


def test_the_oldest_are_forgotten(alice, bob, monkeypatch) -> None:
    monkeypatch.setattr(caps, "NOTICES_KEPT", 2)
    for title in ("One", "Two", "Three"):
        shares.share_with_person(album_of(alice, title=title), "bob", "view", alice)
    assert told_to(bob) == ["Three", "Two"]


def test_a_notice_outlives_the_account_of_its_actor(alice, bob, carol, album) -> None:
    shares.share_with_person(album, "bob", "manage", alice)
    shares.share_with_person(album, "carol", "view", bob)
    bob.delete()
    assert "alice shares the album" in browser(carol).get("/notices/").content.decode()
    alice_page = browser(carol)
    deletion.request_deletion(alice)
    assert "Holidays" not in alice_page.get("/notices/").content.decode()


def test_visitors_have_no_notices() -> None:
    assert api().get(NOTICES).status_code == 401
    assert browser().get("/notices/").status_code == 302


# --- By mail ------------------------------------------------------------------------


@pytest.fixture
def wishing(bob: User) -> User:
    bob.email = "bob@example.org"
    bob.mail_notices = True
    bob.language = "en"
    bob.save()
    EmailAddress.objects.create(user=bob, email=bob.email, verified=True, primary=True)
    return bob


def share_by_page(album: Album) -> None:
    answer = api(album.owner).post(
        f"/api/v1/albums/{album.pk}/shares/", {"user": "bob", "role": "view"}
    )
    assert answer.status_code == 201


def test_a_mail_comes_to_those_who_wish_it(wishing, album) -> None:
    share_by_page(album)
    notices.mail_waiting()
    (sent,) = mail.outbox
    assert sent.to == ["bob@example.org"]
    assert sent.subject == "alice shares pictures with you"
    assert "alice shares the album “Holidays in June” with you." in sent.body
    assert f"http://testserver/albums/{album.pk}/" in sent.body
    notices.mail_waiting()
    assert len(mail.outbox) == 1


def test_the_mail_is_in_the_language_of_its_reader(wishing, album) -> None:
    wishing.language = "zh-hans"
    wishing.save()
    share_by_page(album)
    notices.mail_waiting()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("unwished", ["off", "unconfirmed", "another", "seen", "ended", "inactive"])
def test_no_mail_otherwise(wishing, album, unwished) -> None:
    share_by_page(album)
    match unwished:
        case "off":
            User.objects.filter(pk=wishing.pk).update(mail_notices=False)
        case "unconfirmed":
            EmailAddress.objects.update(verified=False)
        case "another":
            EmailAddress.objects.update(email="former@example.org")
        case "seen":
            notices.mark_seen(wishing)
        case "ended":
            shares.remove(AlbumShare.objects.get())
        case "inactive":
            User.objects.filter(pk=wishing.pk).update(is_active=False)
    notices.mail_waiting()
    assert mail.outbox == []
    assert not notices.to_mail().exists()


def test_nobody_gets_a_mail_unasked(bob, album) -> None:
    share_by_page(album)
    assert not notices.to_mail().exists()


def test_the_subject_has_one_line(wishing, album) -> None:
    User.objects.filter(pk=album.owner_id).update(display_name="A\nBcc: x@example.org")
    share_by_page(album)
    notices.mail_waiting()
    assert "\n" not in mail.outbox[0].subject


@override_settings(EMAIL_BACKEND="tests.sharing.test_notices.Broken")
def test_a_mail_server_that_is_down_loses_no_notice(wishing, album) -> None:
    share_by_page(album)
    notices.mail_waiting()
    assert told_to(wishing) == ["Holidays in June"]
    assert not notices.to_mail().exists()


class Broken:
    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def send_messages(self, messages: object) -> int:
        raise OSError("The mail server is down.")


def test_the_wish_is_a_setting_of_the_account(bob) -> None:
    assert api(bob).get("/api/v1/account/").json()["mail_notices"] is False
    assert api(bob).patch("/api/v1/account/", {"mail_notices": True}).status_code == 200
    bob.refresh_from_db()
    assert bob.mail_notices
    browser(bob).post("/account/", {"display_name": "", "language": ""})
    bob.refresh_from_db()
    assert not bob.mail_notices


def test_the_export_has_the_notices_that_are_shown(alice, bob, album) -> None:
    shares.share_with_person(album, "bob", "view", alice)
    (row,) = list(export_records._notices(bob))
    assert (row["by"], row["title"], row["kind"]) == ("alice", "Holidays in June", "album")
    AlbumShare.objects.all().delete()
    assert list(export_records._notices(bob)) == []
