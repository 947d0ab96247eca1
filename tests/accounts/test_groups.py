"""Groups of people. Their owner sets them, and their members see them."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from gallery.models import AlbumShare, Group, User
from tests.api_tools import code_of
from tests.conftest import api, upload
from tests.sharing_tools import album_of
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", password="carol-password")


@pytest.fixture
def family(alice: User, bob: User) -> Group:
    group = Group.objects.create(owner=alice, name="Family")
    group.members.add(bob)
    return group


def at(group: Group, rest: str = "") -> str:
    return f"/api/v1/groups/{group.pk}/{rest}"


def test_a_group_is_made_filled_renamed_and_deleted(alice, bob) -> None:
    client = api(alice)
    made = client.post("/api/v1/groups/", {"name": "  Family\n "})
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["members"]) == ("Family", [])
    address = f"/api/v1/groups/{made.json()['id']}/"
    filled = client.post(f"{address}members/", {"user": "bob"})
    assert filled.json()["members"] == [{"username": "bob"}]
    assert filled.json()["member_count"] == 1
    assert client.post(f"{address}members/", {"user": "bob"}).json()["member_count"] == 1
    assert client.patch(address, {"name": "Kin"}).json()["name"] == "Kin"
    assert client.delete(f"{address}members/bob/").status_code == 204
    assert client.delete(f"{address}members/bob/").status_code == 404
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_the_order_of_members_does_not_tell_who_signed_in_last(alice, bob, carol, family) -> None:
    family.members.add(carol)
    for last in (bob, carol):
        User.objects.filter(pk=last.pk).update(last_login=timezone.now())
        members = api(alice).get(at(family)).json()["members"]
        assert members == [{"username": "bob"}, {"username": "carol"}]


@pytest.mark.parametrize(
    ("name", "code"), [("", "blank"), ("Family", "group_exists"), ("x" * 101, "max_length")]
)
def test_bad_names_are_refused(alice, family, name: str, code: str) -> None:
    answer = api(alice).post("/api/v1/groups/", {"name": name})
    assert (answer.status_code, code_of(answer)) == (400, code)


def test_a_name_is_taken_only_within_ones_own(alice, bob, family) -> None:
    assert api(bob).post("/api/v1/groups/", {"name": "Family"}).status_code == 201
    other = Group.objects.create(owner=alice, name="Club")
    assert code_of(api(alice).patch(at(other), {"name": "Family"})) == "group_exists"


def test_members_are_named_exactly(alice, family) -> None:
    for name, code in [("nobody", "unknown_user"), ("alice", "is_you"), ("BOB", "unknown_user")]:
        assert code_of(api(alice).post(at(family, "members/"), {"user": name})) == code


def test_members_see_the_group_and_leave(bob, family) -> None:
    client = api(bob)
    seen = client.get(at(family)).json()
    assert (seen["is_owner"], seen["members"]) == (False, [{"username": "bob"}])
    assert len(client.get("/api/v1/groups/").json()["results"]) == 1
    for method, rest in [
        ("patch", ""),
        ("delete", ""),
        ("post", "members/"),
        ("delete", "members/bob/"),
    ]:
        body = {"name": "Mine", "user": "carol"}
        assert getattr(client, method)(at(family, rest), body).status_code == 404
    assert client.post(at(family, "leave/")).status_code == 204
    assert client.get(at(family)).status_code == 404
    assert client.post(at(family, "leave/")).status_code == 404


def test_groups_of_others_are_as_absent_as_ones_that_never_were(carol, family) -> None:
    for client in (api(carol), api()):
        for rest in ("", "members/", "members/bob/", "leave/"):
            for method in ("get", "post", "patch", "put", "delete", "options"):
                there = getattr(client, method)(at(family, rest))
                nowhere = getattr(client, method)(f"/api/v1/groups/{uuid.uuid4()}/{rest}")
                assert there.status_code == nowhere.status_code == 404
                assert there.content == nowhere.content
    assert api(carol).get("/api/v1/groups/").json()["results"] == []
    assert api().get("/api/v1/groups/").status_code == 401


def test_an_album_is_seen_by_who_is_in_the_group_and_only_then(alice, bob, carol, family) -> None:
    image = upload(alice)
    album = album_of(alice, image)
    answer = api(alice).post(f"/api/v1/albums/{album.pk}/shares/", {"group": str(family.pk)})
    assert answer.json()["group"] == {"id": str(family.pk), "name": "Family"}

    def sees(user: User) -> bool:
        return api(user).get(f"/api/v1/images/{image.pk}/").status_code == 200

    assert sees(bob)
    assert not sees(carol)
    family.members.add(carol)
    assert sees(carol)
    api(alice).delete(at(family, "members/bob/"))
    assert not sees(bob)
    api(alice).delete(at(family))
    assert not sees(carol)
    assert not AlbumShare.objects.exists()


def test_one_shares_with_groups_that_one_is_in(alice, bob, carol, family) -> None:
    """Other groups are refused. The owner of a group is not a member by that alone."""
    image = upload(bob)
    album = album_of(bob, image)
    address = f"/api/v1/albums/{album.pk}/shares/"
    assert api(bob).post(address, {"group": str(family.pk)}).status_code == 201
    assert api(alice).get(f"/api/v1/images/{image.pk}/").status_code == 404
    foreign = Group.objects.create(owner=carol, name="Club")
    assert code_of(api(bob).post(address, {"group": str(foreign.pk)})) == "unknown_group"


# --- Pages ----------------------------------------------------------------------------


def test_the_pages_make_fill_and_delete_a_group(alice, bob) -> None:
    client = browser(alice)
    assert "No groups yet" in client.get("/groups/").content.decode()
    answer = client.post("/groups/", {"name": "Family"}, follow=True)
    group = Group.objects.get()
    assert answer.redirect_chain[-1][0] == f"/groups/{group.pk}/"
    answer = client.post(f"/groups/{group.pk}/members/", {"user": "bob"}, follow=True)
    assert "bob is in the group" in answer.content.decode()
    answer = client.post(f"/groups/{group.pk}/members/", {"user": "nobody"})
    assert answer.status_code == 400
    assert 'value="nobody"' in answer.content.decode()
    client.post(f"/groups/{group.pk}/", {"name": "Kin"})
    client.post(f"/groups/{group.pk}/members/bob/remove/")
    group.refresh_from_db()
    assert (group.name, group.members.count()) == ("Kin", 0)
    client.post(f"/groups/{group.pk}/delete/")
    assert not Group.objects.exists()


def test_a_name_that_is_taken_is_told_beside_the_field(alice, family) -> None:
    answer = browser(alice).post("/groups/", {"name": "Family"})
    assert answer.status_code == 400
    assert "You have a group with this name" in answer.content.decode()
    other = Group.objects.create(owner=alice, name="Club")
    answer = browser(alice).post(f"/groups/{other.pk}/", {"name": "Family"})
    assert answer.status_code == 400


def test_members_see_the_page_and_leave(bob, family) -> None:
    client = browser(bob)
    page = client.get(f"/groups/{family.pk}/").content.decode()
    assert "alice decides who is in it." in page
    assert client.post(f"/groups/{family.pk}/", {"name": "x"}).status_code == 404
    for rest in ("members/", "members/bob/remove/", "delete/"):
        assert client.post(f"/groups/{family.pk}/{rest}", {"user": "bob"}).status_code == 404
    client.post(f"/groups/{family.pk}/leave/")
    assert client.get(f"/groups/{family.pk}/").status_code == 404


def test_the_owner_of_a_group_does_not_learn_what_is_shared_with_it(alice, bob, family) -> None:
    AlbumShare.objects.create(album=album_of(bob, title="Secret"), group=family)
    assert "Secret" not in browser(alice).get(f"/groups/{family.pk}/").content.decode()
    assert "Secret" in browser(bob).get(f"/groups/{family.pk}/").content.decode()
