"""Albums shared with people: who may share, what the others see, and what remains."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache

from gallery.indexing import vector_indexes
from gallery.models import Album, AlbumItem, AlbumShare, Favourite, Group, Image, User
from gallery.sharing import contributions, people
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_vector
from tests.sharing_tools import album_of, put, share
from tests.web_tools import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", password="carol-password")


@pytest.fixture
def picture(alice: User) -> Image:
    return upload(alice)


@pytest.fixture
def album(alice: User, picture: Image) -> Album:
    return album_of(alice, picture)


def shares(album: Album, rest: str = "") -> str:
    return f"/api/v1/albums/{album.pk}/shares/{rest}"


def seen_by(user: User | None) -> set[str]:
    return {row["id"] for row in api(user).get("/api/v1/images/").json()["results"]}


# --- Sharing ------------------------------------------------------------------------


def test_an_album_is_shared_changed_and_taken_back(alice, bob, album, picture) -> None:
    owner = api(alice)
    answer = owner.post(shares(album), {"user": "bob", "role": "add"})
    assert answer.status_code == 201
    assert answer.json()["user"] == {"username": "bob"}
    assert seen_by(bob) == {str(picture.pk)}

    address = shares(album, f"{answer.json()['id']}/")
    assert owner.patch(address, {"role": "manage"}).json()["role"] == "manage"
    assert Album.objects.managed_by(bob).get() == album

    assert owner.delete(address).status_code == 204
    assert seen_by(bob) == set()
    assert owner.get(shares(album)).json()["results"] == []


def test_sharing_again_changes_the_role(alice, bob, album) -> None:
    first = api(alice).post(shares(album), {"user": "bob", "role": "view"})
    again = api(alice).post(shares(album), {"user": "bob", "role": "add"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert AlbumShare.objects.get().role == "add"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"user": "nobody"}, "unknown_user"),
        ({"user": "Bob"}, "unknown_user"),
        ({"user": "bob@example.org"}, "unknown_user"),
        ({"user": ""}, "blank"),
        ({"user": "a\x00b"}, "null_characters_not_allowed"),
        ({"user": "alice"}, "is_you"),
        ({}, "name_one"),
        ({"user": "bob", "group": str(uuid.uuid4())}, "name_one"),
        ({"group": str(uuid.uuid4())}, "unknown_group"),
        ({"group": "x"}, "invalid"),
        ({"user": "bob", "role": "owner"}, "invalid_choice"),
    ],
)
def test_bad_input_is_refused(alice, bob, album, body: dict[str, str], code: str) -> None:
    answer = api(alice).post(shares(album), body)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert not AlbumShare.objects.exists()


def test_an_account_that_is_switched_off_cannot_be_named(alice, bob, album) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert code_of(api(alice).post(shares(album), {"user": "bob"})) == "unknown_user"


def test_names_cannot_be_tried_without_end(alice, album) -> None:
    client = api(alice)
    answers = [client.post(shares(album), {"user": f"name{n}"}) for n in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {400}
    assert answers[30].status_code == 429
    assert int(answers[30]["Retry-After"]) > 0
    assert code_of(answers[30]) == "too_many_tries"
    cache.delete_pattern("tries:*")
    assert client.post(shares(album), {"user": "name"}).status_code == 400


def test_the_owner_is_not_shared_with_by_a_manager(alice, bob, album) -> None:
    share(album, bob, "manage")
    assert code_of(api(bob).post(shares(album), {"user": "alice"})) == "is_owner"


@pytest.mark.parametrize("role", ["", "view", "add"])
def test_only_who_manages_may_look_at_shares_and_change_them(
    alice, bob, carol, album, role: str
) -> None:
    given = share(album, carol)
    if role:
        share(album, bob, role)
    stranger = api(bob)
    for method, address in [
        ("get", shares(album)),
        ("post", shares(album)),
        ("patch", shares(album, f"{given.pk}/")),
        ("delete", shares(album, f"{given.pk}/")),
    ]:
        for client in (stranger, api()):
            there = getattr(client, method)(address, {"role": "manage", "user": "bob"})
            nowhere = getattr(client, method)(
                address.replace(str(album.pk), str(uuid.uuid4())), {"role": "manage"}
            )
            assert there.status_code == nowhere.status_code == 404
            assert there.content == nowhere.content
    given.refresh_from_db()
    assert given.role == "view"


def test_a_manager_shares_on(alice, bob, carol, album, picture) -> None:
    share(album, bob, "manage")
    assert api(bob).post(shares(album), {"user": "carol"}).status_code == 201
    assert seen_by(carol) == {str(picture.pk)}


def test_a_share_is_changed_through_its_own_album_only(alice, bob, album) -> None:
    """The manager of one album has no rights in another."""
    other = album_of(bob)
    given = share(album, bob)
    assert api(bob).patch(shares(other, f"{given.pk}/"), {"role": "manage"}).status_code == 404


def test_people_leave(alice, bob, album) -> None:
    share(album, bob)
    answer = api(bob).post(f"/api/v1/albums/{album.pk}/leave/")
    assert (answer.status_code, answer.json()) == (200, {"still_through": []})
    assert seen_by(bob) == set()
    assert api(bob).post(f"/api/v1/albums/{album.pk}/leave/").status_code == 404


def test_leaving_tells_which_group_still_shows_the_album(alice, bob, album) -> None:
    share(album, bob)
    family = Group.objects.create(owner=alice, name="Family")
    family.members.add(bob)
    AlbumShare.objects.create(album=album, group=family)
    answer = api(bob).post(f"/api/v1/albums/{album.pk}/leave/")
    assert answer.json() == {"still_through": ["Family"]}
    assert len(seen_by(bob)) == 1


def test_the_owner_cannot_leave(alice, album) -> None:
    assert api(alice).post(f"/api/v1/albums/{album.pk}/leave/").status_code == 404


def test_deleting_the_album_hides_its_pictures_and_restoring_shows_them(
    alice, bob, album, picture
) -> None:
    share(album, bob)
    api(alice).delete(f"/api/v1/albums/{album.pk}/")
    assert seen_by(bob) == set()
    api(alice).post(f"/api/v1/albums/{album.pk}/restore/")
    assert seen_by(bob) == {str(picture.pk)}


def test_only_known_people_are_suggested(alice, bob, carol, album) -> None:
    dan = User.objects.create_user("dan")
    eve = User.objects.create_user("eve")
    User.objects.create_user("stranger")
    assert list(people.suggestions(alice)) == []
    share(album, bob)
    club = Group.objects.create(owner=dan, name="Club")
    club.members.add(alice, carol)
    Group.objects.create(owner=alice, name="Mine").members.add(eve)
    assert [person.username for person in people.suggestions(alice)] == [
        "bob",
        "carol",
        "dan",
        "eve",
    ]
    # Who shares with me is somebody I know.
    assert [person.username for person in people.suggestions(bob)] == ["alice"]


# --- Pictures of contributors ---------------------------------------------------------


@pytest.fixture
def contributed(album: Album, bob: User) -> Image:
    """A private picture of bob in alice's album."""
    share(album, bob, "add")
    image = upload(bob, draw(colour="blue"))
    put(album, image)
    return image


def test_pictures_of_who_is_removed_stay_and_can_be_withdrawn(
    alice, bob, carol, album, picture, contributed
) -> None:
    share(album, carol)
    AlbumShare.objects.filter(user=bob).delete()
    assert seen_by(carol) == seen_by(alice) == {str(picture.pk), str(contributed.pk)}

    (told,) = api(bob).get("/api/v1/contributions/").json()["results"]
    assert told["album"] == {
        "id": str(album.pk),
        "title": "Holidays",
        "owner": {"username": "alice"},
    }
    assert (told["count"], told["visible"]) == (1, False)

    answer = api(bob).post(f"/api/v1/albums/{album.pk}/withdraw/")
    assert answer.json() == {"withdrawn": 1}
    assert seen_by(carol) == {str(picture.pk)}
    assert seen_by(bob) == {str(contributed.pk)}
    assert api(bob).get("/api/v1/contributions/").json()["results"] == []


def test_a_manager_takes_the_pictures_of_others_out(alice, album, contributed) -> None:
    address = f"/api/v1/albums/{album.pk}/images/remove/"
    answer = api(alice).post(address, {"selection": {"ids": [str(contributed.pk)]}})
    assert answer.status_code == 200
    assert not AlbumItem.objects.filter(image=contributed).exists()


@pytest.mark.parametrize("who", ["carol", "anonymous"])
def test_strangers_withdraw_nothing(album, contributed, carol, who: str) -> None:
    client = api(carol) if who == "carol" else api()
    there = client.post(f"/api/v1/albums/{album.pk}/withdraw/")
    nowhere = client.post(f"/api/v1/albums/{uuid.uuid4()}/withdraw/")
    assert there.status_code == nowhere.status_code == 404
    assert there.content == nowhere.content
    assert AlbumItem.objects.filter(album=album).count() == 2


def test_only_own_pictures_are_withdrawn(bob, album, picture, contributed) -> None:
    contributions.withdraw(album, bob)
    assert list(AlbumItem.objects.filter(album=album).values_list("image", flat=True)) == [
        picture.pk
    ]


def test_a_picture_in_the_trash_of_its_owner_leaves_the_eyes_of_others(
    alice, bob, album, contributed
) -> None:
    api(bob).delete(f"/api/v1/images/{contributed.pk}/")
    assert str(contributed.pk) not in seen_by(alice)
    api(bob).post(f"/api/v1/images/{contributed.pk}/restore/")
    assert str(contributed.pk) in seen_by(alice)


# --- Revoked at once -------------------------------------------------------------------


def test_what_is_revoked_is_gone_everywhere_at_once(
    alice, bob, album, picture, monkeypatch: Any
) -> None:
    """This includes stored windows of searches and browsers' caches."""
    space = make_space()
    own = upload(bob, draw(colour="green"))
    others = [upload(alice, draw(colour=colour)) for colour in ("navy", "teal", "gold")]
    put(album, *others)
    for image in (picture, own, *others):
        set_vector(image, space, (1.0, 0.1, 0.0))
    given = share(album, bob)
    Favourite.objects.create(user=bob, image=picture)
    client = api(bob)
    similar = f"/api/v1/images/{own.pk}/similar/?limit=1"
    first = client.get(similar).json()
    assert first["next"]
    address = f"/api/v1/images/{picture.pk}/"
    etag = client.get(f"{address}thumbnail/")["ETag"]
    cached = {"HTTP_IF_NONE_MATCH": etag}
    assert client.get(f"{address}thumbnail/", **cached).status_code == 304

    given.delete()

    assert client.get(first["next"]).json()["results"] == []
    assert client.get(similar).json()["results"] == []
    for rest in ("", "thumbnail/", "file/", "similar/"):
        answer = client.get(f"{address}{rest}", **cached)
        assert answer.status_code == 404, rest
        assert not answer.has_header("ETag")
    assert client.post(f"{address}classify/", {"classnames": ["a", "b"]}).status_code == 404
    assert client.get(f"/api/v1/albums/{album.pk}/").status_code == 404
    assert client.get(f"/api/v1/albums/{album.pk}/images/").status_code == 404
    assert client.get(f"/api/v1/images/?album={album.pk}").json()["results"] == []
    assert client.get("/api/v1/images/?favourite=true").json()["results"] == []
    assert seen_by(bob) == {str(own.pk)}


# --- Found by those who may see --------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [5000, 3], ids=["exact", "approximate"])
def test_shared_pictures_are_found_by_those_who_may_see_them(
    alice, bob, carol, settings, monkeypatch: Any, limit: int
) -> None:
    """Two albums are shared at once, by name and by group. Both ways of the planner are used: it
    keeps an approximate answer only if that fills the window."""
    settings.EXACT_SEARCH_LIMIT = limit
    monkeypatch.setattr("gallery.search.pages.FIRST_WINDOW", 5)
    space = make_space()
    colours = ("red", "green", "blue", "gold", "navy", "teal", "pink", "tan")
    images = [upload(alice, draw(colour=colour)) for colour in colours]
    query = upload(bob, draw(colour="black"))
    for number, image in enumerate([*images, query]):
        set_vector(image, space, (1.0, number / 50, 0.0))
    monkeypatch.setattr(vector_indexes, "LISTED_FROM", 1)
    vector_indexes.create_index(space)
    vector_indexes.refresh_lists(space)
    first, second = album_of(alice, *images[:4]), album_of(alice, *images[2:6])
    family = Group.objects.create(owner=alice, name="Family")
    family.members.add(bob)
    share(first, bob)
    AlbumShare.objects.create(album=first, group=family, role="add")
    AlbumShare.objects.create(album=second, group=family)

    client = api(bob)
    first_page = client.get(f"/api/v1/images/{query.pk}/similar/?limit=5").json()
    second_page = client.get(first_page["next"]).json()
    found = [hit["image"]["id"] for hit in first_page["results"] + second_page["results"]]
    assert sorted(found) == sorted(str(image.pk) for image in images[:6])
    assert first_page["exact"] is (limit == 5000)

    set_vector(mine := upload(carol, draw(colour="white")), space, (1.0, 0.0, 0.0))
    results = api(carol).get(f"/api/v1/images/{mine.pk}/similar/?limit=50").json()
    assert results["results"] == []


# --- Pages --------------------------------------------------------------------------


def test_the_panel_shares_and_offers_to_undo(alice, bob, album) -> None:
    client = browser(alice)
    page = f"/albums/{album.pk}/sharing/"
    assert "Nobody yet" in client.get(page).content.decode()
    htmx = {"HTTP_HX_REQUEST": "true"}
    answer = client.post(
        f"/albums/{album.pk}/shares/", {"user": "bob", "role": "add"}, **htmx
    ).content.decode()
    assert "Shared with bob." in answer
    given = AlbumShare.objects.get()
    answer = client.post(f"/albums/{album.pk}/shares/{given.pk}/", {"role": "view"}, **htmx)
    assert "Changed for bob." in answer.content.decode()
    answer = client.post(f"/albums/{album.pk}/shares/{given.pk}/remove/", **htmx).content.decode()
    assert "bob no longer sees this album." in answer
    assert "Undo" in answer
    assert not AlbumShare.objects.exists()


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(alice, album) -> None:
    answer = browser(alice).post(
        f"/albums/{album.pk}/shares/", {"user": "nobody", "role": "view"}, HTTP_HX_REQUEST="true"
    )
    assert answer.status_code == 400
    assert "No account has this username" in answer.content.decode()
    assert 'value="nobody"' in answer.content.decode()


def test_the_panel_of_who_does_not_manage_offers_to_leave(bob, album, contributed) -> None:
    client = browser(bob)
    assert (
        "Take my 1 picture out of it" in client.get(f"/albums/{album.pk}/sharing/").content.decode()
    )
    answer = client.post(f"/albums/{album.pk}/leave/", {"withdraw": "1"}, follow=True)
    assert "You have left" in answer.content.decode()
    assert not AlbumItem.objects.filter(image=contributed).exists()
    assert client.get(f"/albums/{album.pk}/sharing/").status_code == 404


def test_removing_a_contributor_says_what_stays(alice, bob, album, contributed) -> None:
    given = AlbumShare.objects.get(user=bob)
    answer = browser(alice).post(
        f"/albums/{album.pk}/shares/{given.pk}/remove/", HTTP_HX_REQUEST="true"
    )
    assert "1 picture of theirs stays in it" in answer.content.decode()
    page = browser(bob).get("/contributions/").content.decode()
    assert "No longer shared with you" in page
    browser(bob).post(f"/albums/{album.pk}/withdraw/")
    assert not AlbumItem.objects.filter(image=contributed).exists()


def test_pages_of_sharing_are_for_nobody_else(bob, carol, alice, album, picture) -> None:
    share(album, carol, "add")
    given = AlbumShare.objects.get()
    for rest in ("shares/", f"shares/{given.pk}/", f"shares/{given.pk}/remove/", "links/"):
        for user in (bob, carol):
            answer = browser(user).post(f"/albums/{album.pk}/{rest}", {"role": "manage"})
            assert answer.status_code == 404, rest
    assert browser(bob).get(f"/albums/{album.pk}/sharing/").status_code == 404
    assert browser(carol).get(f"/images/{picture.pk}/sharing/").status_code == 404
    assert browser(carol).post(f"/images/{picture.pk}/links/").status_code == 404
    assert browser().get(f"/albums/{album.pk}/sharing/").status_code == 302
    assert AlbumShare.objects.get().role == "add"
