"""The review of near-duplicates: groups, merging, dismissing, undo, and rights."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import close_old_connections
from django.utils import timezone

from gallery.errors import Expired
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Change,
    Favourite,
    Image,
    NearDuplicate,
    Tag,
)
from gallery.organising import changes, duplicates, merging
from gallery.organising.trash import purge_expired
from tests.conftest import api, draw, upload
from tests.factories import analyse
from tests.search.test_near_duplicates import link
from tests.web_tools import HTMX, browser

pytestmark = pytest.mark.django_db

API = "/api/v1/duplicates/"
PREVIEW = "data:image/webp;base64,UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAUAmJaQAA3AA/v89WAAAAA=="


def pictures(owner, count: int = 2, **fields) -> list[Image]:
    """The first picture is the largest."""
    made = []
    for number in range(count):
        data = draw(
            width=200 - 40 * number, height=150 - 30 * number, colour=(90, owner.pk % 256, 7)
        )
        image = upload(owner, data, name=f"{number}.jpg", **fields)
        Image.objects.filter(pk=image.pk).update(placeholder=PREVIEW, perceptual_hash=0)
        made.append(image)
    return made


def group(owner, count: int = 2, **facts) -> list[Image]:
    """Create pictures. Each two of them are known to show the same."""
    made = pictures(owner, count)
    link_all(made, **facts)
    return made


def link_all(images: Sequence[Image], **facts) -> None:
    for number, one in enumerate(images):
        for other in images[number + 1 :]:
            link(one, other, **facts)


def ids(images) -> list[str]:
    return [str(image.pk) for image in images]


def merge(user, keep: Image, others, status: int = 200):
    answer = api(user).post(f"{API}merge/", {"keep": str(keep.pk), "others": ids(others)})
    assert answer.status_code == status, answer.content
    return answer.json()


def dismiss(user, images, status: int = 200, **more):
    answer = api(user).post(f"{API}dismiss/", {"ids": ids(images), **more})
    assert answer.status_code == status, answer.content
    return answer.json()


def undo(user, settled) -> None:
    assert api(user).post(settled["undo"]).status_code == 200


def in_trash(images) -> list[bool]:
    deleted = dict(Image.objects.values_list("pk", "deleted_at"))
    return [deleted[image.pk] is not None for image in images]


def state(user) -> dict[str, object]:
    """Return everything that a merge may change."""
    fields = (
        "title",
        "description",
        "captured_at",
        "ahead_of_utc",
        "is_offset_known",
        "taken_at",
        "camera",
        "latitude",
        "longitude",
        "rating",
        "deleted_at",
    )
    return {
        "images": list(Image.objects.order_by("pk").values_list("pk", *fields)),
        "items": list(
            AlbumItem.objects.order_by("pk").values_list("pk", "album", "image", "position")
        ),
        "covers": list(Album.objects.order_by("pk").values_list("pk", "cover")),
        "tags": sorted(Tag.images.through.objects.values_list("tag", "image")),
        "marks": sorted(Favourite.objects.values_list("user", "image")),
        "pairs": list(NearDuplicate.objects.order_by("pk").values_list("pk", "dismissed_at")),
    }


# --- Groups -----------------------------------------------------------------------


def test_groups_are_connected_and_the_best_is_suggested(alice):
    large, middle, small = pictures(alice, 3)
    link(small, middle)
    link(middle, large)
    (found,) = api(alice).get(API).json()["results"]
    assert found["keep"] == str(large.pk)
    assert [image["id"] for image in found["images"]] == ids([large, middle, small])
    assert {frozenset([pair["first"], pair["second"]]) for pair in found["pairs"]} == {
        frozenset(ids([small, middle])),
        frozenset(ids([middle, large])),
    }


def test_among_equal_sizes_a_camera_picture_is_suggested_then_one_with_notes(alice):
    images = [
        upload(alice, draw(colour=(n * 60, 9, 9), format="PNG"), f"{n}.png") for n in range(3)
    ]
    Image.objects.update(byte_size=1000)
    Image.objects.filter(pk=images[1].pk).update(title="Rain")
    Image.objects.filter(pk=images[2].pk).update(camera="X100")
    link_all(images)
    (found,) = api(alice).get(API).json()["results"]
    assert [image["id"] for image in found["images"]] == ids([images[2], images[1], images[0]])


def test_only_own_pictures_out_of_the_trash_that_were_not_told_apart(alice, bob):
    mine, of_bob = pictures(alice, 1)[0], pictures(bob, 1, visibility="public")[0]
    link(mine, of_bob)
    gone = group(alice, 3)[:2]
    Image.objects.filter(pk__in=[image.pk for image in gone]).update(deleted_at=timezone.now())
    apart = group(bob)
    NearDuplicate.objects.filter(first__in=apart).update(dismissed_at=timezone.now())
    assert api(alice).get(API).json()["results"] == []
    assert api(bob).get(API).json()["results"] == []
    assert api().get(API).status_code == 401
    assert browser().get("/duplicates/").status_code == 302


def test_a_chain_is_cut_into_groups_that_can_be_looked_at(alice):
    chain = pictures(alice, 1) + [
        upload(alice, draw(colour=(n * 12, 99, 9), format="PNG"), f"{n}.png") for n in range(13)
    ]
    for one, other in pairwise(chain):
        link(one, other)
    found = api(alice).get(API).json()["results"]
    assert sum(len(one["images"]) for one in found) <= len(chain)
    assert max(len(one["images"]) for one in found) <= duplicates.MAX_PICTURES
    seen = [image["id"] for one in found for image in one["images"]]
    assert len(seen) == len(set(seen))


def test_pages_go_on_where_they_ended_whatever_was_settled_meanwhile(alice):
    groups = []
    for number in range(5):
        two = [
            upload(alice, draw(colour=(number * 40, 50 * k, 9), format="PNG"), "p.png")
            for k in range(2)
        ]
        link(*two, similarity=0.99 - number / 100)
        groups.append(two)
    first = api(alice).get(API, {"limit": 2}).json()
    merge(alice, groups[0][0], groups[0][1:])
    second = api(alice).get(first["next"]).json()
    third = api(alice).get(second["next"]).json()
    shown = [
        frozenset(image["id"] for image in one["images"])
        for page in (first, second, third)
        for one in page["results"]
    ]
    assert shown == [frozenset(ids(two)) for two in groups]
    assert third["next"] is None


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "x"}, {"cursor": "nonsense"}])
def test_bad_pages_are_refused(alice, query):
    assert api(alice).get(API, query).status_code == 400


# --- Merging ----------------------------------------------------------------------


def test_merging_carries_everything_over_and_undo_takes_all_of_it_back(alice):
    keep, other, third = group(alice, 3)
    Image.objects.filter(pk=keep.pk).update(description="Mine", camera="")
    Image.objects.filter(pk=other.pk).update(
        title="Sea", description="Theirs", captured_at=datetime(2024, 5, 3, 20, tzinfo=UTC),
        ahead_of_utc=8 * 3600, is_offset_known=True,
    )  # fmt: skip
    Image.objects.filter(pk=third.pk).update(
        camera="X100", latitude=1.5, longitude=2.5, rating=4
    )  # fmt: skip
    here, both = (Album.objects.create(owner=alice, title=title) for title in "ab")
    lying = Album.objects.create(owner=alice, title="c", cover=third, deleted_at=timezone.now())
    AlbumItem.objects.create(album=here, image=other, position=3)
    AlbumItem.objects.create(album=here, image=third, position=2)
    AlbumItem.objects.create(album=both, image=keep, position=1)
    AlbumItem.objects.create(album=both, image=other, position=7)
    AlbumItem.objects.create(album=lying, image=third, position=4)
    Tag.objects.create(owner=alice, name="sea").images.add(other, keep)
    Tag.objects.create(owner=alice, name="wind").images.add(third)
    Favourite.objects.create(user=alice, image=third)
    before = state(alice)
    settled = merge(alice, keep, [other, third])
    assert settled["trashed"] == 2
    assert in_trash([keep, other, third]) == [False, True, True]
    kept = Image.objects.get(pk=keep.pk)
    assert (kept.title, kept.description, kept.camera) == ("Sea", "Mine", "X100")
    assert kept.captured_at == datetime(2024, 5, 3, 20, tzinfo=UTC)
    assert (kept.taken_at, kept.is_offset_known) == (datetime(2024, 5, 4, 4), True)
    assert (kept.latitude, kept.longitude, kept.rating) == (1.5, 2.5, 4)
    places = AlbumItem.objects.filter(image=keep).values_list("album__title", "position")
    assert sorted(places) == [("a", 2), ("b", 1), ("c", 4)]
    assert Album.objects.get(pk=lying.pk).cover_id == keep.pk
    assert sorted(kept.tags.values_list("name", flat=True)) == ["sea", "wind"]
    assert Favourite.objects.filter(user=alice, image=keep).exists()
    assert str(Change.objects.get().pk) == settled["change"]
    undo(alice, settled)
    assert state(alice) == before


def test_undo_leaves_alone_what_was_changed_since(alice):
    keep, other = group(alice)
    Image.objects.filter(pk=other.pk).update(title="Sea", description="Waves")
    settled = merge(alice, keep, [other])
    Image.objects.filter(pk=keep.pk).update(title="Ocean")
    undo(alice, settled)
    assert Image.objects.values_list("title", "description").get(pk=keep.pk) == ("Ocean", "")
    assert in_trash([keep, other]) == [False, False]


def test_nothing_of_others_is_touched(alice, bob):
    """A picture in an album of another user stays there while its owner may add to that album."""
    keep, other = group(alice)
    Image.objects.filter(pk=other.pk).update(visibility="public")
    open_album, closed = (Album.objects.create(owner=bob, title=title) for title in "oc")
    of_bob = pictures(bob, 1)[0]
    for album in (open_album, closed):
        AlbumItem.objects.create(album=album, image=other, position=1)
        AlbumItem.objects.create(album=album, image=of_bob, position=2)
        Album.objects.filter(pk=album.pk).update(cover=other)
    AlbumShare.objects.create(album=open_album, user=alice, role="add")
    AlbumShare.objects.create(album=closed, user=alice, role="view")
    Favourite.objects.create(user=bob, image=other)
    merge(alice, keep, [other])
    shown = AlbumItem.objects.filter(image=keep)
    assert [item.album for item in shown] == [open_album]
    assert set(Album.objects.values_list("cover", flat=True)) == {other.pk}, "bob's to choose"
    assert list(Favourite.objects.values_list("user", "image")) == [(bob.pk, other.pk)]
    assert AlbumItem.objects.filter(image=of_bob).count() == 2


@pytest.mark.parametrize("mixed", ["keep", "others"])
def test_pictures_of_others_are_not_there(alice, bob, mixed):
    mine, of_bob = pictures(alice, 2), pictures(bob, 1, visibility="public")[0]
    keep, others = (of_bob, mine) if mixed == "keep" else (mine[0], [mine[1], of_bob])
    before = state(alice)
    merge(alice, keep, others, status=404)
    dismiss(alice, [keep, *others], status=404)
    never = Image(pk=uuid.uuid4())
    merge(alice, mine[0], [never], status=404)
    for path in ("merge/", "dismiss/"):
        data = {"ids": ids([keep, *others]), "keep": str(keep.pk)}
        assert browser(alice).post(f"/duplicates/{path}", data, headers=HTMX).status_code == 404
        assert api().post(f"{API}{path}", {}).status_code == 401
    assert browser(bob).get(f"/duplicates/?of={mine[0].pk}").status_code == 404
    assert state(alice) == before


def test_bad_merges_are_refused(alice):
    keep, other = group(alice)
    merge(alice, keep, [keep, other], status=400)
    merge(alice, keep, [], status=400)
    dismiss(alice, [keep], status=400)
    assert in_trash([keep, other]) == [False, False]


def test_the_same_merge_twice_does_it_once(alice):
    keep, other = group(alice)
    assert merge(alice, keep, [other])["trashed"] == 1
    assert merge(alice, keep, [other]) == {"trashed": 0, "change": None, "undo": None}
    assert merge(alice, other, [keep], status=410)["errors"][0]["code"] == "kept_in_trash"
    assert in_trash([keep, other]) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_two_who_merge_one_group_at_once_lose_nothing(alice):
    one, other = group(alice)
    outcomes: list[object] = []
    start = threading.Barrier(2)

    def work(keep, gone) -> None:
        start.wait()
        try:
            outcomes.append(merging.merge(alice, keep.pk, [gone.pk]).trashed)
        except Expired:
            outcomes.append("late")
        finally:
            close_old_connections()

    threads = [threading.Thread(target=work, args=pair) for pair in [(one, other), (other, one)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, outcomes)) == ["1", "late"]
    assert sorted(in_trash([one, other])) == [False, True]


def test_a_merged_picture_that_is_gone_for_good_is_no_obstacle(alice, settings):
    settings.TRASH_DAYS = 0
    keep, other = group(alice)
    settled = merge(alice, keep, [other])
    purge_expired()
    assert not Image.objects.filter(pk=other.pk).exists()
    assert changes.undo(uuid.UUID(settled["change"]), alice) == 0


# --- What is certain --------------------------------------------------------------


def test_copies_are_certain_and_merged_at_once(alice, bob):
    copies = group(alice, bits=2)
    of_bob = group(bob, bits=0)
    (found,) = api(alice).get(API).json()["results"]
    assert found["certain"]
    page = browser(alice).get("/duplicates/")
    assert "Merge the 1 certain group" in page.content.decode()
    answer = browser(alice).post("/duplicates/merge/certain/", follow=True)
    assert "Merged: 1 copy is in the trash." in answer.content.decode()
    assert in_trash([*copies, *of_bob]) == [False, True, False, False]
    change = Change.objects.get()
    browser(alice).post(f"/changes/{change.pk}/undo/")
    assert in_trash(copies) == [False, False]


@pytest.mark.parametrize(
    ("difference", "bits"),
    [
        ({}, 4),
        ({"height": 110}, 0),
        ({"captured_at": datetime(2024, 5, 3, 10, 0, 2, tzinfo=UTC)}, 0),
        ({"placeholder": ""}, 0),
        ({"frames": 5}, 0),
        ({"frames": None}, 0),
    ],
    ids=[
        *("another hash", "another shape", "another second", "no preview to compare"),
        *("an animation", "frames that were not counted yet"),
    ],
)
def test_whatever_differs_wants_a_look(alice, difference, bits):
    keep, other = group(alice, bits=bits)
    Image.objects.filter(pk=keep.pk).update(captured_at=datetime(2024, 5, 3, 10, tzinfo=UTC))
    Image.objects.filter(pk=other.pk).update(**difference)
    (found,) = api(alice).get(API).json()["results"]
    assert not found["certain"]
    assert duplicates.merge_certain(alice).trashed == 0


def test_animations_want_a_look_whatever_their_first_frames_show(alice):
    """They have equally many frames and the same length. The bytes differ, and so may the
    content."""
    images = group(alice, bits=0)
    Image.objects.filter(pk__in=[image.pk for image in images]).update(frames=5, duration=1)
    assert duplicates.certain(alice) == []
    Image.objects.filter(pk=images[0].pk).update(frames=1)
    assert "5 frames" in browser(alice).get("/duplicates/").content.decode()


def test_times_are_compared_by_the_clocks_where_an_offset_is_not_known(alice):
    """A copy without the offset was read with the clocks of the site."""
    keep, other = group(alice, bits=0)
    noon = datetime(2024, 5, 3, 12, tzinfo=UTC)
    known = {"captured_at": noon - timedelta(hours=8), "ahead_of_utc": 8 * 3600}
    Image.objects.filter(pk=keep.pk).update(**known, is_offset_known=True)
    Image.objects.filter(pk=other.pk).update(captured_at=noon, ahead_of_utc=0)
    assert len(duplicates.certain(alice)) == 1
    Image.objects.filter(pk=other.pk).update(is_offset_known=True)
    assert duplicates.certain(alice) == [], "two moments, eight hours apart"


def test_other_light_wants_a_look(alice):
    """An edited copy has nearly the same hash and vector, but another preview."""
    keep, other = group(alice, bits=0)
    bright = upload(alice, draw(colour="white"))
    for image in (keep, bright):
        Image.objects.filter(pk=image.pk).update(placeholder="")
    analyse()
    Image.objects.filter(pk=other.pk).update(
        placeholder=Image.objects.get(pk=bright.pk).placeholder
    )
    assert Image.objects.get(pk=keep.pk).placeholder
    assert duplicates.certain(alice) == []


# --- Telling apart ----------------------------------------------------------------


def test_a_dismissed_group_is_gone_until_that_is_undone(alice):
    one, two, three = pictures(alice, 3)
    link(one, two)
    link(two, three)
    settled = dismiss(alice, [one, two, three])
    assert settled["pairs"] == 3, "one and three would be found alike some day"
    assert api(alice).get(API).json()["results"] == []
    undo(alice, settled)
    assert len(api(alice).get(API).json()["results"][0]["images"]) == 3
    assert NearDuplicate.objects.count() == 2


def test_one_picture_is_told_apart_from_the_others(alice):
    images = group(alice, 3)
    settled = dismiss(alice, images, of=str(images[2].pk))
    assert settled["pairs"] == 2
    (left,) = api(alice).get(API).json()["results"]
    assert {image["id"] for image in left["images"]} == set(ids(images[:2]))
    assert dismiss(alice, images, of=str(images[2].pk)) == {
        "pairs": 0,
        "change": None,
        "undo": None,
    }


# --- The page ---------------------------------------------------------------------


def test_the_page_tells_what_differs(alice):
    keep, other = group(alice)
    album = Album.objects.create(owner=alice, title="Holidays")
    AlbumItem.objects.create(album=album, image=other, position=1)
    Tag.objects.create(owner=alice, name="sea").images.add(other)
    shown = browser(alice).get("/duplicates/").content.decode()
    assert "200 × 150" in shown
    assert "Holidays" in shown
    assert "sea" in shown
    assert "Camera" not in shown, "both have none"
    around = browser(alice).get(f"/duplicates/?of={other.pk}").content.decode()
    assert str(keep.pk) in around
    beside = browser(alice).get(f"/images/{keep.pk}/").content.decode()
    assert f"/duplicates/?of={keep.pk}" in beside


def test_only_among_copies_one_is_chosen_beforehand(alice):
    group(alice, bits=4)
    chosen = re.compile(r'name="keep"[^>]* checked')
    assert not chosen.search(browser(alice).get("/duplicates/").content.decode())
    NearDuplicate.objects.update(bits=0)
    assert chosen.search(browser(alice).get("/duplicates/").content.decode())


def test_without_scripts_the_forms_do_the_same(alice):
    keep, other = group(alice)
    data = {"ids": ids([keep, other]), "keep": str(other.pk)}
    answer = browser(alice).post("/duplicates/merge/", data, follow=True)
    assert "One picture kept, 1 is in the trash." in answer.content.decode()
    assert in_trash([keep, other]) == [True, False], "the choice counts, not the suggestion"


def test_a_settled_group_comes_back_in_its_place(alice):
    images = group(alice)
    data = {"ids": ids(images), "keep": str(images[0].pk)}
    line = browser(alice).post("/duplicates/merge/", data, headers=HTMX).content.decode()
    change = Change.objects.get()
    assert f"/duplicates/undo/{change.pk}/" in line
    back = browser(alice).post(f"/duplicates/undo/{change.pk}/", data, headers=HTMX)
    assert all(pk in back.content.decode() for pk in ids(images))
    assert in_trash(images) == [False, False]
    again = browser(alice).post(f"/duplicates/undo/{change.pk}/", data, headers=HTMX)
    assert again.status_code == 410


def test_empty_pages_say_why(alice):
    assert "Nothing to compare yet" in browser(alice).get("/duplicates/").content.decode()
    pictures(alice)
    page = browser(alice).get("/duplicates/").content.decode()
    assert "0 of 2 pictures compared" in page
    part = browser(alice).get("/duplicates/progress/?seen=0", headers=HTMX)
    assert "0 of 2 pictures compared" in part.content.decode()
