"""Pictures that are shared as a selection: with whom, for how long, and what stays private."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from gallery.models import Album, AlbumShare, Group, Image, Notice, ShareLink, User
from gallery.organising import album_summaries, bulk
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.sharing_tools import page_of, visitor
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

SHARE = "/api/v1/selection/share/"


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", password="carol-password")


@pytest.fixture
def pictures(alice: User) -> list[Image]:
    return [upload(alice, draw(colour=colour)) for colour in ("red", "green", "blue")]


def chosen(*images: Image) -> dict[str, Any]:
    return {"ids": [str(image.pk) for image in images]}


def seen_by(user: User) -> set[str]:
    return {row["id"] for row in api(user).get("/api/v1/images/").json()["results"]}


def ids(*images: Image) -> set[str]:
    return {str(image.pk) for image in images}


def test_the_chosen_pictures_and_no_others_are_seen_by_the_chosen_people(
    alice, bob, carol, pictures
) -> None:
    first, second, _third = pictures
    wanted = {"selection": chosen(first, second), "users": ["bob"]}
    answer = api(alice).post(SHARE, wanted)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["count"], told["skipped"], told["link"]) == (2, 0, None)
    assert told["shared_with"] == ["bob"]
    assert seen_by(bob) == ids(first, second)
    assert seen_by(carol) == set()
    assert browser(bob).get(told["page"]).status_code == 200
    assert browser(carol).get(told["page"]).status_code == 404


def test_the_same_pictures_are_not_shared_twice_with_the_same_people(
    alice, bob, carol, pictures
) -> None:
    family = Group.objects.create(owner=alice, name="Family")
    everybody = {"users": ["bob", "carol"], "groups": [str(family.pk)]}
    wanted = {"selection": chosen(*pictures), **everybody}
    first = api(alice).post(SHARE, wanted).json()
    AlbumShare.objects.filter(user=bob).update(role="add")
    again = api(alice).post(SHARE, {**wanted, "users": ["@bob"]})
    assert again.status_code == 200
    assert again.json()["album"] == first["album"]
    assert again.json()["shared_with"] == ["bob", "Family"]
    assert again.json()["undo"] is None
    assert Notice.objects.filter(recipient=bob).count() == 1
    assert AlbumShare.objects.get(user=bob).role == "add"
    # Anything else is another act: fewer or more pictures or people, a title, a link.
    dora = User.objects.create_user("dora", password="dora-password")
    for other in (
        {"selection": chosen(*pictures[:2])},
        {"users": ["bob", dora.username]},
        {"title": "Beach"},
        {"link": True},
    ):
        assert api(alice).post(SHARE, {**wanted, **other}).status_code == 201
    assert api(alice).post(SHARE, {**wanted, "title": "Beach", "users": ["bob"]}).status_code == 200
    assert api(alice).post(SHARE, {**wanted, "title": "A  b", "users": ["bob"]}).status_code == 201
    assert api(alice).post(SHARE, {**wanted, "title": "A b", "users": ["bob"]}).status_code == 200
    assert api(alice).post(SHARE, {**wanted, "users": ["nobody"]}).status_code == 400
    Album.objects.update(deleted_at=timezone.now())
    assert api(alice).post(SHARE, {**wanted, "users": ["carol"]}).status_code == 201


def test_everybody_of_a_group_sees_them_and_one_act_makes_one_notice_each(
    alice, bob, carol, pictures
) -> None:
    family = Group.objects.create(owner=alice, name="Family")
    family.members.add(bob, carol, alice)
    wanted = {"selection": chosen(*pictures), "users": ["bob"], "groups": [str(family.pk)]}
    assert api(alice).post(SHARE, wanted).status_code == 201
    assert seen_by(bob) == seen_by(carol) == ids(*pictures)
    told = Notice.objects.values_list("recipient__username", "kind")
    assert sorted(told) == [("bob", "pictures"), ("carol", "pictures")]


def taken(image: Image, *day: int) -> None:
    Image.objects.filter(pk=image.pk).update(captured_at=datetime(*day, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("days", "name"),
    [
        ([(2019, 7, 4), (2019, 7, 30)], "2 pictures from July 2019"),
        ([(2019, 7, 4), (2019, 9, 1)], "2 pictures from 2019"),
        ([(2018, 7, 4), (2019, 7, 4)], "2 pictures, shared on Nov 3, 2026"),
        # A picture without a date of capture belongs to no month.
        ([(2019, 7, 4)], "2 pictures, shared on Nov 3, 2026"),
    ],
)
def test_without_a_title_they_are_named_by_what_they_are(alice, bob, pictures, days, name) -> None:
    for image, day in zip(pictures, days, strict=False):
        taken(image, *day)
    wanted = {"selection": chosen(*pictures[:2]), "users": ["bob"]}
    told = api(alice).post(SHARE, wanted).json()
    Album.objects.update(created_at=datetime(2026, 11, 3, 9, tzinfo=UTC))
    assert f"<h1>{name}</h1>" in browser(bob).get(told["page"]).content.decode()
    assert name in browser(bob).get("/sharing/").content.decode()
    assert f"alice shares with you: {name}" in browser(bob).get("/notices/").content.decode()
    answer = api(bob).get("/api/v1/notices/").json()["results"][0]
    assert answer["album"]["title"] == name
    assert api(bob).get(f"/api/v1/albums/{told['album']['id']}/").json()["title"] == name


def test_pictures_that_are_gone_have_no_number_and_no_day(alice, bob, pictures) -> None:
    told = api(alice).post(SHARE, {"selection": chosen(*pictures[:2]), "users": ["bob"]}).json()
    Image.objects.update(deleted_at=timezone.now())
    page = browser(bob).get(told["page"]).content.decode()
    assert "<h1>Shared pictures</h1>" in page
    assert "These pictures are no longer here" in page
    assert "may add pictures" not in page
    assert "alice shares with you: Shared pictures" in (
        browser(bob).get("/notices/").content.decode()
    )


def test_the_name_counts_what_the_reader_sees_and_a_link_never_says_when(
    alice, bob, pictures
) -> None:
    for image in pictures:
        taken(image, 2019, 7, 4)
    wanted = {"selection": chosen(*pictures), "users": ["bob"], "link": True}
    told = api(alice).post(SHARE, wanted).json()
    Image.objects.filter(pk=pictures[0].pk).update(hidden_at=datetime(2026, 11, 3, tzinfo=UTC))
    assert "2 pictures from July 2019" in browser(bob).get(told["page"]).content.decode()
    assert "3 pictures from July 2019" in browser(alice).get(told["page"]).content.decode()
    page = visitor().get(told["link"]).content.decode()
    assert "<h1>2 pictures</h1>" in page
    assert "2019" not in page
    # Nor does a name outlive the right to see.
    album = Album.objects.get()
    AlbumShare.objects.all().delete()
    assert album_summaries.name_of(album, bob) == "Shared pictures"


def test_a_name_can_be_given_and_taken_back_until_it_is_an_album(alice, bob, pictures) -> None:
    wanted = {"selection": chosen(*pictures), "users": ["bob"], "title": "Beach"}
    told = api(alice).post(SHARE, wanted).json()
    assert "alice shares “Beach” with you" in browser(bob).get("/notices/").content.decode()
    edit = f"/albums/{told['album']['id']}/edit/"
    assert browser(alice).post(edit, {"title": ""}).status_code == 302
    name = album_summaries.name_of(Album.objects.get(), alice)
    assert name.startswith("3 pictures, shared on ")
    assert f'placeholder="{name}"' in browser(alice).get(edit).content.decode()

    browser(alice).post(f"/albums/{told['album']['id']}/keep/")
    assert Album.objects.get().title == name
    assert "Give the album a title." in browser(alice).post(edit, {"title": ""}).content.decode()
    assert Album.objects.get().title == name


def test_the_picture_says_with_whom_it_is_shared_to_its_owner_alone(
    alice, bob, carol, pictures
) -> None:
    first, second, _third = pictures
    api(alice).post(SHARE, {"selection": chosen(first, second), "users": ["bob", "carol"]})
    page = browser(alice).get(f"/images/{first.pk}/").content.decode()
    notes = page[page.index('id="marks"') :]
    assert "Shared with" in notes
    assert all(f">{name}</a>" in notes for name in ("bob", "carol"))
    assert ">In<" not in notes
    theirs = browser(bob).get(f"/images/{first.pk}/").content.decode()
    assert "Shared with" not in theirs
    assert "carol" not in theirs
    assert ">In<" not in theirs


def test_one_picture_is_shared_from_its_own_dialog_and_only_by_its_owner(
    alice, bob, carol, pictures
) -> None:
    first, second, third = pictures
    api(alice).post(SHARE, {"selection": chosen(first), "users": ["bob"]})
    api(alice).post(SHARE, {"selection": chosen(first, second), "users": ["carol"]})
    panel = f"/images/{first.pk}/sharing/"
    page = browser(alice).get(panel).content.decode()
    assert "Untitled" not in page
    assert first.name_for(alice) in page
    assert "2 pictures, shared on" in page
    alone, together = AlbumShare.objects.order_by("created_at")

    # The others see it, and may not share it further, nor end its shares.
    for other in (bob, carol):
        assert browser(other).get(f"/images/{first.pk}/").status_code == 200
        assert "data-share" not in browser(other).get(f"/images/{first.pk}/").content.decode()
        assert browser(other).get(panel).status_code == 404
        end = f"/images/{first.pk}/shares/{alone.pk}/remove/"
        assert browser(other).post(end).status_code == 404
        answer = api(other).post(SHARE, {"selection": chosen(first), "users": ["alice"]})
        assert code_of(answer) == "nothing_to_share"

    # What was shared together ends together, and a share of another picture is none of this one.
    for image, share in ((first, together), (third, alone)):
        end = f"/images/{image.pk}/shares/{share.pk}/remove/"
        assert browser(alice).post(end).status_code == 404
    assert seen_by(bob) == ids(first)
    assert browser(alice).post(f"/images/{first.pk}/shares/{alone.pk}/remove/").status_code == 302
    assert seen_by(bob) == set()
    assert seen_by(carol) == ids(first, second)


def test_a_link_shows_them_to_visitors(alice, pictures) -> None:
    first, _second, third = pictures
    wanted = {"selection": chosen(first, third), "link": True, "title": "Beach"}
    told = api(alice).post(SHARE, wanted).json()
    assert told["album"]["title"] == "Beach"
    page = visitor().get(told["link"])
    assert page.status_code == 200
    assert page.content.decode().count("data-tile") == 2
    link = ShareLink.objects.get()
    assert (link.max_uses, link.password, link.allow_download) == (None, "", False)
    assert visitor().get(page_of(link, f"images/{third.pk}/")).status_code == 200
    assert visitor().get(page_of(link, f"images/{pictures[1].pk}/")).status_code == 404


def test_pictures_of_others_are_never_shared(alice, bob, carol, pictures) -> None:
    bobs = upload(bob, draw(colour="gold"), visibility="public")
    wanted = {"selection": chosen(pictures[0], bobs), "users": ["carol"]}
    told = api(alice).post(SHARE, wanted).json()
    assert (told["count"], told["skipped"]) == (1, 1)
    assert set(Image.objects.in_album(Album.objects.get())) == {pictures[0]}

    for theirs in (chosen(bobs), {"ids": [str(uuid.uuid4())]}, {"ids": []}):
        answer = api(alice).post(SHARE, {"selection": theirs, "users": ["carol"]})
        assert (answer.status_code, code_of(answer)) == (400, "nothing_to_share")
    assert Album.objects.count() == 1


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({}, "nobody"),
        ({"users": [" "]}, "blank"),
        ({"users": ["nobody-here"]}, "unknown_user"),
        ({"users": ["bob", "nobody-here"]}, "unknown_user"),
        ({"users": ["alice"]}, "is_you"),
        ({"groups": [str(uuid.UUID(int=1))]}, "unknown_group"),
        (
            {"users": ["bob"], "groups": [str(uuid.UUID(int=n)) for n in range(50)]},
            "too_many_names",
        ),
    ],
)
def test_a_mistake_shares_nothing(alice, bob, pictures, wanted, code) -> None:
    answer = api(alice).post(SHARE, {"selection": chosen(*pictures), **wanted})
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert not Album.objects.exists()
    assert not Notice.objects.exists()
    assert seen_by(bob) == set()


def test_groups_of_others_cannot_be_named(alice, bob, pictures) -> None:
    foreign = Group.objects.create(owner=bob, name="Secret")
    wanted = {"selection": chosen(*pictures), "groups": [str(foreign.pk)]}
    assert code_of(api(alice).post(SHARE, wanted)) == "unknown_group"


def test_visitors_share_nothing(pictures) -> None:
    answer = api().post(SHARE, {"selection": chosen(*pictures), "link": True})
    assert answer.status_code == 401
    assert not ShareLink.objects.exists()


def test_undo_takes_everything_back_at_once(alice, bob, pictures) -> None:
    wanted = {"selection": chosen(*pictures), "users": ["bob"], "link": True}
    told = api(alice).post(SHARE, wanted).json()
    assert api(bob).post(told["undo"]).status_code == 404
    assert api(alice).post(told["undo"]).json() == {"restored": 3}
    assert seen_by(bob) == set()
    assert visitor().get(told["link"]).status_code == 404
    assert not Notice.objects.exists()
    assert Image.objects.filter(owner=alice, deleted_at=None).count() == 3
    assert api(alice).post(told["undo"]).status_code == 410


def test_what_was_kept_as_an_album_survives_an_undo(alice, bob, pictures) -> None:
    told = api(alice).post(SHARE, {"selection": chosen(*pictures), "users": ["bob"]}).json()
    keep = f"/albums/{told['album']['id']}/keep/"
    assert browser(bob).post(keep).status_code == 404
    assert browser(alice).post(keep).status_code == 302
    assert api(alice).post(told["undo"]).json() == {"restored": 0}
    assert seen_by(bob) == ids(*pictures)


def test_it_is_listed_under_sharing_and_not_among_albums(alice, bob, pictures) -> None:
    wanted = {"selection": chosen(*pictures), "users": ["bob"], "title": "From the beach"}
    api(alice).post(SHARE, wanted)
    for user, page in ((alice, "/sharing/by-me/"), (bob, "/sharing/")):
        assert "From the beach" in browser(user).get(page).content.decode()
        assert "From the beach" not in browser(user).get("/albums/").content.decode()
        shown = browser(user).get(f"/albums/{Album.objects.get().pk}/").content.decode()
        assert 'href="/sharing/" aria-current="true"' in shown
        assert 'href="/albums/" aria-current' not in shown
    assert "From the beach" not in browser(alice).get("/albums/pick/").content.decode()
    mine = browser(alice).get("/sharing/?tab=with-me").content.decode()
    assert "Nothing is shared with you yet" in mine
    assert "From the beach" not in mine
    # Who only shares begins with that, and who does neither with what others share.
    assert browser(alice).get("/sharing/").url == "/sharing/by-me/"
    AlbumShare.objects.all().delete()
    assert "Nothing is shared with you yet" in browser(bob).get("/sharing/").content.decode()

    browser(alice).post(f"/albums/{Album.objects.get().pk}/keep/")
    assert "From the beach" in browser(alice).get("/albums/").content.decode()


def test_its_page_ends_the_sharing_and_begins_it_again(alice, bob, pictures) -> None:
    told = api(alice).post(SHARE, {"selection": chosen(*pictures), "users": ["bob"]}).json()
    at = f"/albums/{told['album']['id']}/"
    assert "Stop sharing" in browser(alice).get(at).content.decode()
    assert browser(bob).post(f"{at}delete/").status_code == 404
    assert browser(alice).post(f"{at}delete/").url == "/sharing/by-me/"
    assert seen_by(bob) == set()
    browser(alice).post(f"{at}restore/")
    assert seen_by(bob) == ids(*pictures)


def test_it_does_not_grow_by_itself(alice, bob, pictures) -> None:
    everything = {"all": True, "filters": {"owner": "me"}}
    api(alice).post(SHARE, {"selection": everything, "users": ["bob"]})
    later = upload(alice, draw(colour="pink"))
    assert seen_by(bob) == ids(*pictures)
    assert str(later.pk) not in seen_by(bob)


def test_a_picture_in_the_trash_is_gone_for_all(alice, bob, pictures) -> None:
    api(alice).post(SHARE, {"selection": chosen(*pictures), "users": ["bob"]})
    bulk.run("trash", chosen(pictures[0]), alice)
    assert seen_by(bob) == ids(*pictures[1:])


def test_the_dialog_offers_people_one_knows_and_nobody_else(alice, bob, carol, pictures) -> None:
    page = browser(alice).get("/sharing/choices/").content.decode()
    assert "bob" not in page
    assert "carol" not in page
    api(alice).post(SHARE, {"selection": chosen(*pictures), "users": ["bob"]})
    page = browser(alice).get("/sharing/choices/").content.decode()
    assert 'value="bob"' in page
    assert "carol" not in page
    # And the other way round: who shares with me is somebody I know.
    assert 'value="alice"' in browser(bob).get("/sharing/choices/").content.decode()
    AlbumShare.objects.all().delete()
    assert 'value="alice"' not in browser(bob).get("/sharing/choices/").content.decode()
