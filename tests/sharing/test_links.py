"""Share links: who makes them, what they require, when they end."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from gallery.library import service
from gallery.models import Album, AlbumShare, Group, Image, ShareLink, User
from gallery.sharing import attempt_limits, link_access, links
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.sharing_tools import album_of, link_to, opened, put, share, shared

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(alice: User) -> Image:
    return upload(alice, title="Lake")


@pytest.fixture
def album(alice: User, picture: Image) -> Album:
    return album_of(alice, picture)


def works(link: ShareLink) -> bool:
    """Return whether the link works for a new visitor without an account."""
    answer = api().get(shared(link, "images/"))
    assert answer.status_code in (200, 404), answer.content
    return answer.status_code == 200


def state(link: ShareLink) -> str:
    owner = User.objects.get(pk=link.created_by_id)
    return links.state_of(links.links_of(owner).get(pk=link.pk))


# --- For who makes them ----------------------------------------------------------------


def test_a_link_is_made_changed_and_revoked(alice, album) -> None:
    client = api(alice)
    answer = client.post("/api/v1/links/", {"album": str(album.pk), "name": "For Oma"})
    assert answer.status_code == 201
    link = answer.json()
    assert (link["kind"], link["state"], link["has_password"]) == ("album", "active", False)
    assert link["album"] == {"id": str(album.pk), "title": "Holidays"}
    assert link["url"].startswith("http://testserver/s/")
    assert (link["use_count"], link["last_used_at"], link["allow_download"]) == (0, None, False)

    address = f"/api/v1/links/{link['id']}/"
    changes = {"password": "a secret", "allow_download": True, "max_uses": 3, "name": ""}
    changed = client.patch(address, changes).json()
    assert changed["has_password"]
    assert (changed["allow_download"], changed["max_uses"], changed["name"]) == (True, 3, "")
    assert changed["url"] == link["url"]
    assert not client.patch(address, {"password": None}).json()["has_password"]

    assert client.delete(address).status_code == 204
    assert client.get(address).json()["state"] == "revoked"
    assert code_of(client.patch(address, {"name": "x"})) == "link_revoked"
    when = ShareLink.objects.get().revoked_at
    assert client.delete(address).status_code == 204
    assert ShareLink.objects.get().revoked_at == when


def test_passwords_are_hashed(album) -> None:
    link = link_to(album, password="a secret")
    assert "a secret" not in link.password


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"password": "short"}, "bad_password"),
        ({"password": "x" * 129}, "bad_password"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "bad_expiry"),
        ({"expires_at": "soon"}, "invalid"),
        ({"max_uses": 0}, "bad_max_uses"),
        ({"max_uses": 10**9}, "bad_max_uses"),
        ({"name": "x" * 101}, "max_length"),
    ],
)
def test_bad_values_are_refused(alice, album, values: dict[str, Any], code: str) -> None:
    made = api(alice).post("/api/v1/links/", {"album": str(album.pk), **values})
    assert (made.status_code, code_of(made)) == (400, code)
    link = link_to(album)
    changed = api(alice).patch(f"/api/v1/links/{link.pk}/", values)
    assert (changed.status_code, code_of(changed)) == (400, code)


def test_one_target_is_named_and_it_is_ones_own(alice, bob, picture, album) -> None:
    public = upload(alice, draw(colour="blue"), visibility="public")
    client = api(bob)
    share(album, bob, "add")
    for body, code in [
        ({}, "name_one"),
        ({"album": str(album.pk), "image": str(picture.pk)}, "name_one"),
        ({"album": str(album.pk)}, "unknown_album"),
        ({"album": str(uuid.uuid4())}, "unknown_album"),
        ({"image": str(picture.pk)}, "unknown_image"),
        ({"image": str(public.pk)}, "unknown_image"),
    ]:
        assert code_of(client.post("/api/v1/links/", body)) == code
    assert api().post("/api/v1/links/", {"album": str(album.pk)}).status_code == 401
    assert not ShareLink.objects.exists()


def test_links_of_others_are_as_absent_as_ones_that_never_were(bob, album) -> None:
    link = link_to(album)
    share(album, bob, "add")
    for client in (api(bob), api()):
        for method in ("get", "patch", "delete", "put", "options"):
            there = getattr(client, method)(f"/api/v1/links/{link.pk}/", {"name": "x"})
            nowhere = getattr(client, method)(f"/api/v1/links/{uuid.uuid4()}/", {"name": "x"})
            assert there.status_code == nowhere.status_code == 404
            assert there.content == nowhere.content
    assert api(bob).get("/api/v1/links/").json()["results"] == []
    assert api().get("/api/v1/links/").status_code == 401


def test_who_manages_an_album_sees_and_revokes_all_its_links(alice, bob, album) -> None:
    share(album, bob, "manage")
    by_bob, by_alice = link_to(album, by=bob), link_to(album)
    for user in (alice, bob):
        listed = api(user).get(f"/api/v1/links/?album={album.pk}").json()["results"]
        assert {row["id"] for row in listed} == {str(by_bob.pk), str(by_alice.pk)}
    assert api(alice).delete(f"/api/v1/links/{by_bob.pk}/").status_code == 204
    assert not works(by_bob)


def test_lists_are_narrowed_to_a_target(alice, album, picture) -> None:
    to_album, to_picture = link_to(album), link_to(picture)
    client = api(alice)

    def listed(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"/api/v1/links/{query}").json()["results"]]

    assert listed("") == [str(to_picture.pk), str(to_album.pk)]
    assert listed(f"?album={album.pk}") == [str(to_album.pk)]
    assert listed(f"?image={picture.pk}") == [str(to_picture.pk)]
    assert listed(f"?image={uuid.uuid4()}") == []
    assert code_of(client.get("/api/v1/links/?image=x")) == "bad_id"
    page = client.get("/api/v1/links/?limit=1").json()
    assert client.get(page["next"]).json()["results"][0]["id"] == str(to_album.pk)


# --- When they stop -------------------------------------------------------------------


def test_a_link_works_until_it_is_revoked(album) -> None:
    link = link_to(album)
    assert works(link)
    links.revoke_link(link)
    assert not works(link)


def test_a_link_works_until_it_expires(album) -> None:
    link = link_to(album, expires_at=timezone.now() + timedelta(hours=1))
    assert works(link)
    ShareLink.objects.update(expires_at=timezone.now())
    assert not works(link)
    assert state(link) == "expired"


@pytest.mark.parametrize("how", ["album in trash", "manager removed", "role lowered", "inactive"])
def test_a_link_to_an_album_stops_when_its_maker_may_not_share_it(bob, album, how: str) -> None:
    given = share(album, bob, "manage")
    link = link_to(album, by=bob)
    assert works(link)
    if how == "album in trash":
        Album.objects.update(deleted_at=timezone.now())
    elif how == "manager removed":
        given.delete()
    elif how == "role lowered":
        AlbumShare.objects.update(role="add")
    else:
        User.objects.filter(pk=bob.pk).update(is_active=False)
    assert not works(link)
    assert state(link) == "stopped"


def test_a_manager_by_group_makes_links_while_in_the_group(alice, bob, album) -> None:
    group = Group.objects.create(owner=alice, name="Family")
    group.members.add(bob)
    # A person without groups makes it: the maker of the share is not relevant here.
    AlbumShare.objects.create(album=album, group=group, role="manage", created_by=alice)
    link = link_to(album, by=bob)
    assert works(link)
    group.members.clear()
    group.members.add(alice)
    assert not works(link)


@pytest.mark.parametrize("how", ["in trash", "hidden", "inactive"])
def test_a_link_to_a_picture_stops_with_it(alice, picture, how: str) -> None:
    link = link_to(picture)
    assert works(link)
    if how == "in trash":
        service.delete_image(picture)
    elif how == "hidden":
        Image.objects.update(hidden_at=timezone.now())
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not works(link)
    assert state(link) == "stopped"


def test_a_former_manager_learns_nothing_more_of_the_album(alice, bob, album) -> None:
    given = share(album, bob, "manage")
    link = link_to(album, by=bob)
    given.delete()
    Album.objects.update(title="Secret now")
    shown = api(bob).get(f"/api/v1/links/{link.pk}/").json()
    assert (shown["state"], shown["album"]["title"]) == ("stopped", None)


def test_nobody_learns_why_a_link_does_not_work(alice, album, picture) -> None:
    revoked, expired, used_up, stopped = (link_to(album) for _ in range(4))
    links.revoke_link(revoked)
    ShareLink.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    ShareLink.objects.filter(pk=used_up.pk).update(max_uses=1, use_count=1)
    ShareLink.objects.filter(pk=stopped.pk).update(album=None, image=upload_hidden(alice))
    tokens = [link.token for link in (revoked, expired, used_up, stopped)]
    odd = ["nothing", "%00", "x" * 500, "%E4%B8%AD", "..", uuid.uuid4().hex]
    for rest in ("", "unlock/", "images/", "download/", f"images/{picture.pk}/file/"):
        method = "post" if rest == "unlock/" else "get"
        answers = [
            getattr(api(), method)(f"/api/v1/shared/{token}/{rest}") for token in [*tokens, *odd]
        ]
        kept = {
            (answer.status_code, answer.content, str(sorted(answer.headers.items())))
            for answer in answers
            if answer.resolver_match.url_name != "unknown_address"
        }
        assert {status for status, *_ in kept} == {404}
    codes = {code_of(api().get(f"/api/v1/shared/{token}/")) for token in tokens}
    assert codes == {"link_gone"}


def upload_hidden(owner: User) -> Image:
    image = upload(owner, draw(colour="grey"))
    Image.objects.filter(pk=image.pk).update(hidden_at=timezone.now())
    return image


# --- What they show -------------------------------------------------------------------


def test_an_album_is_shown_in_its_order_as_it_is_now(alice, album, picture) -> None:
    link = link_to(album)
    more = [upload(alice, draw(colour=colour)) for colour in ("green", "blue", "gold")]
    put(album, *more)
    put(album_of(alice, title="Another"), *reversed(more))
    upload(alice, draw(colour="black"), visibility="public")
    client = api()
    about = client.get(shared(link)).json()
    assert (about["kind"], about["title"], about["owner"]) == ("album", "Holidays", "alice")
    assert (about["count"], about["locked"], about["allow_download"]) == (4, False, False)

    page = client.get(shared(link, "images/?limit=3")).json()
    last = client.get(page["next"]).json()
    shown = [row["id"] for row in page["results"] + last["results"]]
    assert shown == [str(image.pk) for image in (picture, *more)]
    assert last["next"] is None
    assert code_of(client.get(shared(link, "images/?cursor=x"))) == "bad_cursor"
    assert code_of(client.get(shared(link, "images/?limit=0"))) == "bad_limit"

    album.items.filter(image=picture).delete()
    for rest in ("file/", "thumbnail/"):
        answer = client.get(shared(link, f"images/{picture.pk}/{rest}"))
        assert answer.status_code == 404


def test_hidden_and_deleted_pictures_are_not_shown(alice, album, picture) -> None:
    hidden, deleted = upload_hidden(alice), upload(alice, draw(colour="blue"))
    put(album, hidden, deleted)
    service.delete_image(deleted)
    link = link_to(album)
    shown = api().get(shared(link, "images/")).json()["results"]
    assert [row["id"] for row in shown] == [str(picture.pk)]
    for image in (hidden, deleted):
        assert api().get(shared(link, f"images/{image.pk}/file/")).status_code == 404


def test_a_picture_is_shown_alone(alice, album, picture) -> None:
    other = upload(alice, draw(colour="blue"), visibility="public")
    link = link_to(picture)
    client = api()
    assert client.get(shared(link)).json()["title"] == "Lake"
    (shown,) = client.get(shared(link, "images/")).json()["results"]
    assert shown["id"] == str(picture.pk)
    assert client.get(shown["urls"]["thumbnail"]).status_code == 200
    assert client.get(shared(link, f"images/{other.pk}/file/")).status_code == 404


def test_a_link_gives_no_other_rights(alice, bob, album, picture) -> None:
    link = link_to(album, allow_download=True)
    for client in (api(bob), api()):
        assert client.get(shared(link)).status_code == 200
        assert client.get(f"/api/v1/images/{picture.pk}/").status_code == 404
        assert client.get(f"/api/v1/albums/{album.pk}/").status_code == 404


def test_downloads_are_offered_only_where_they_are_allowed(album, picture) -> None:
    link = link_to(album)
    client = api()
    file = shared(link, f"images/{picture.pk}/file/")
    assert client.get(file)["Content-Disposition"].startswith("inline")
    for address in (f"{file}?download=1", shared(link, "download/")):
        answer = client.get(address)
        assert (answer.status_code, code_of(answer)) == (403, "download_not_allowed")
    links.change_link(link, {"allow_download": True})
    assert client.get(f"{file}?download=1")["Content-Disposition"].startswith("attachment")
    assert client.get(shared(link, "download/")).status_code == 200


def test_addresses_of_links_are_told_to_nobody_and_answers_are_not_kept(album, picture) -> None:
    link = link_to(album, allow_download=True)
    client = api()
    rests = ["", "images/", f"images/{picture.pk}/file/", f"images/{picture.pk}/thumbnail/"]
    for rest in [*rests, "download/"]:
        answer = client.get(shared(link, rest))
        assert answer["Referrer-Policy"] == "no-referrer", rest
        assert "noindex" in answer["X-Robots-Tag"], rest
        assert answer["Cache-Control"] in ("private, no-cache", "private, no-store"), rest
    links.revoke_link(link)
    answer = client.get(shared(link))
    assert (answer.status_code, answer["Referrer-Policy"]) == (404, "no-referrer")


@pytest.mark.parametrize("prefix", ["", "/protected/"])
def test_no_copy_outlives_the_link(album, picture, settings, prefix: str) -> None:
    settings.ACCEL_REDIRECT_PREFIX = prefix
    link = link_to(album)
    client = api()
    for rest in ("file/", "thumbnail/"):
        address = shared(link, f"images/{picture.pk}/{rest}")
        first = client.get(address)
        assert first.has_header("X-Accel-Redirect") is bool(prefix)
        cached = {"HTTP_IF_NONE_MATCH": first["ETag"]}
        assert client.get(address, **cached).status_code == 304
        ShareLink.objects.update(revoked_at=timezone.now())
        gone = client.get(address, **cached)
        assert gone.status_code == 404
        assert not gone.has_header("X-Accel-Redirect")
        ShareLink.objects.update(revoked_at=None)


# --- Passwords ------------------------------------------------------------------------


def test_nothing_is_told_before_the_password(album, picture) -> None:
    link = link_to(album, password="a secret")
    client = api()
    about = client.get(shared(link)).json()
    assert about.pop("locked")
    assert about.pop("needs_password")
    assert set(about.values()) == {None}
    for rest in ("images/", f"images/{picture.pk}/file/", "download/", "images/?cursor=x"):
        answer = client.get(shared(link, rest))
        assert (answer.status_code, code_of(answer)) == (403, "locked"), rest
    assert code_of(client.post(shared(link, "unlock/"))) == "wrong_password"
    assert code_of(client.post(shared(link, "unlock/"), {"password": "a secreT"})) == (
        "wrong_password"
    )
    assert ShareLink.objects.get().use_count == 0

    client, key = opened(link, "a secret")
    assert client.get(shared(link, "images/")).status_code == 403
    assert client.get(shared(link, "images/"), headers=key).status_code == 200
    assert client.get(shared(link), headers=key).json()["title"] == "Holidays"


def test_a_key_opens_its_own_link_and_no_other(album) -> None:
    first, second = (link_to(album, password="a secret") for _ in range(2))
    client, key = opened(first, "a secret")
    assert client.get(shared(second, "images/"), headers=key).status_code == 403
    forged = {"X-Share-Key": key["X-Share-Key"][:-1] + "x"}
    assert client.get(shared(first, "images/"), headers=forged).status_code == 403


def test_a_changed_password_ends_earlier_visits(album) -> None:
    link = link_to(album, password="a secret")
    client, key = opened(link, "a secret")
    links.change_link(link, {"name": "New name"})
    assert client.get(shared(link, "images/"), headers=key).status_code == 200
    # Setting the same password counts, too: all visitors must enter it again.
    links.change_link(link, {"password": "a secret"})
    assert client.get(shared(link, "images/"), headers=key).status_code == 403


def test_a_visit_ends_after_a_day(album, monkeypatch: pytest.MonkeyPatch) -> None:
    link = link_to(album, password="a secret")
    client, key = opened(link, "a secret")
    monkeypatch.setattr(link_access, "VISIT", timedelta(seconds=-1))
    assert client.get(shared(link, "images/"), headers=key).status_code == 403


def test_passwords_cannot_be_tried_without_end(album) -> None:
    link, other = (link_to(album, password="a secret") for _ in range(2))
    client = api()
    wrong = [client.post(shared(link, "unlock/"), {"password": f"wrong{n}"}) for n in range(10)]
    assert {code_of(answer) for answer in wrong} == {"wrong_password"}
    refused = client.post(shared(link, "unlock/"), {"password": "a secret"})
    assert (refused.status_code, code_of(refused)) == (429, "too_many_tries")
    assert 0 < int(refused["Retry-After"]) <= 600
    # Attempts are counted for each link and each address.
    assert client.post(shared(other, "unlock/"), {"password": "a secret"}).status_code == 200
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    answer = client.post(shared(link, "unlock/"), {"password": "a secret"}, **elsewhere)
    assert answer.status_code == 200
    cache.delete_pattern("tries:*")
    assert client.post(shared(link, "unlock/"), {"password": "a secret"}).status_code == 200


def test_all_tries_of_a_link_are_counted_too(album, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_access, "_MOST_TRIES_OF_ALL", 3)
    # All attempts are in one window of the counter.
    monkeypatch.setattr(attempt_limits, "time", SimpleNamespace(time=lambda: 1e9))
    link = link_to(album, password="a secret")
    answers = [
        api().post(shared(link, "unlock/"), {"password": "wrong"}, REMOTE_ADDR=f"192.0.2.{n}")
        for n in range(5)
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429, 429]


# --- Counting -------------------------------------------------------------------------


def test_a_use_is_a_visit_and_no_request(album, picture) -> None:
    link = link_to(album)
    client = api()
    client.get(shared(link))
    for rest in ("", "images/", f"images/{picture.pk}/thumbnail/"):
        client.get(shared(link, rest))
    link.refresh_from_db()
    assert link.use_count == 1
    assert link.last_used_at is not None
    key = api().get(shared(link)).json()["key"]
    api().get(shared(link), headers={"X-Share-Key": key})
    link.refresh_from_db()
    assert link.use_count == 2


def test_visits_end_and_who_is_in_stays_in(album) -> None:
    link = link_to(album, max_uses=2)
    first, first_key = opened(link)
    opened(link)
    assert state(link) == "used_up"
    assert api().post(shared(link, "unlock/")).status_code == 404
    assert api().get(shared(link)).status_code == 404
    assert first.get(shared(link, "images/"), headers=first_key).status_code == 200
    links.change_link(link, {"max_uses": 3})
    opened(link)


def test_looking_at_the_address_uses_up_nothing(album) -> None:
    """Programs that show a preview of an address do that."""
    link = link_to(album, max_uses=1)
    about = api().get(shared(link)).json()
    assert (about["locked"], about["needs_password"], about["title"]) == (True, False, None)
    assert api().get(shared(link, "images/")).status_code == 403
    link.refresh_from_db()
    assert link.use_count == 0


@pytest.mark.django_db(transaction=True)
def test_no_more_visits_than_allowed_however_many_come_at_once(alice) -> None:
    link = link_to(album_of(alice, upload(alice)), max_uses=3)
    gate = threading.Barrier(10)
    results: list[str] = []

    def visit() -> None:
        found = link_access.find_link(link.token)
        gate.wait()
        try:
            link_access.begin(found)
            results.append("in")
        except link_access.LinkGone:
            results.append("out")
        finally:
            connection.close()

    threads = [threading.Thread(target=visit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results.count("in"), results.count("out")) == (3, 7)
    link.refresh_from_db()
    assert link.use_count == 3
