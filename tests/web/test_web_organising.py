"""Filters, favourites, archive, tags, trash: the pages around selections."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from gallery.library import service
from gallery.models import Change, Image, Tag, User
from gallery.organising import albums, bulk, favourites, selection, tags
from gallery.web.lists import listing
from tests.conftest import draw, upload
from tests.web_tools import HTMX, attributes, browser, next_page, tiles

pytestmark = pytest.mark.django_db


def picture(owner: User, colour: str, **fields: Any) -> Image:
    """Create a picture named by its colour. `fields` are set directly in the database."""
    width, height = fields.pop("size", (64, 48))
    image = upload(owner, draw(width, height, colour), title=colour)
    Image.objects.filter(pk=image.pk).update(**fields)
    return Image.objects.get(pk=image.pk)


def titles(response: Any) -> list[str]:
    """Return the titles of the shown pictures, sorted."""
    return sorted(Image.objects.filter(pk__in=tiles(response)).values_list("title", flat=True))


@pytest.fixture
def pictures(alice: User) -> dict[str, Image]:
    """red: 2024, wide, by a Canon, tagged a and b; green: 2025, tall, tagged a; blue: 2026, square,
    public."""
    made = {
        "red": picture(alice, "red", captured_at="2024-05-31T22:00Z", camera="Canon R5"),
        "green": picture(alice, "green", captured_at="2025-01-01T00:00Z", size=(48, 64)),
        "blue": picture(
            alice, "blue", captured_at="2026-03-01T00:00Z", size=(50, 50), visibility="public"
        ),
    }
    tags.set_tags(made["red"], ["a", "b"])
    tags.set_tags(made["green"], ["a"])
    favourites.mark(alice, [made["blue"].pk])
    return made


# --- Filters ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("from=2025-01-01", ["blue", "green"]),
        ("to=2024-05-31", ["red"]),
        ("to=2024-05-30", []),
        ("from=2024-06-01&to=2025-01-01", ["green"]),
        ("camera=canon+r5", ["red"]),
        ("orientation=portrait", ["green"]),
        ("tag=a", ["green", "red"]),
        ("tag=a&tag=b", ["red"]),
        ("owner=me", ["blue", "green", "red"]),
        ("owner=bob", []),
        ("visibility=public", ["blue"]),
        ("favourite=true", ["blue"]),
        ("favourite=false&tag=a", ["green", "red"]),
        ("from=&camera=&tag=", ["blue", "green", "red"]),
    ],
)
def test_home_is_narrowed_by_its_address(
    alice: User, pictures: dict[str, Image], query: str, shown: list[str]
) -> None:
    assert titles(browser(alice).get(f"/?{query}")) == shown


def test_filter_by_album(alice: User, bob: User, pictures: dict[str, Image]) -> None:
    album = albums.create(alice, "One")
    albums.add_images(album, Image.objects.filter(pk=pictures["red"].pk), alice)
    assert titles(browser(alice).get("/", {"album": album.pk})) == ["red"]
    # The page reveals nothing of another user's album, not even its title.
    page = browser(bob).get("/", {"album": album.pk})
    assert titles(page) == []
    assert "One" not in page.content.decode()


def test_each_chip_takes_its_own_filter_away(alice: User, pictures: dict[str, Image]) -> None:
    response = browser(alice).get("/?scope=mine&tag=a&tag=b&camera=Canon+R5&from=2024-01-01")
    links = attributes(response, "href")
    for address in (
        "/?scope=mine&tag=b&camera=Canon+R5&from=2024-01-01",
        "/?scope=mine&tag=a&tag=b&from=2024-01-01",
        "/?scope=mine&tag=a&tag=b&camera=Canon+R5",
        "/?scope=mine",
    ):
        assert address in links


def test_the_form_keeps_what_the_address_says(alice: User, pictures: dict[str, Image]) -> None:
    page = browser(alice).get("/?scope=mine&tag=a&camera=Canon").content.decode()
    assert '<input type="hidden" name="scope" value="mine">' in page
    assert 'value="a" checked' in page
    assert 'name="camera" maxlength="200" value="Canon"' in page


@pytest.mark.parametrize(
    "query",
    [
        "from=someday",
        "on=someday",
        "to=2024-13-01",
        "to=9999-12-31",
        "orientation=round",
        "album=x",
        "favourite=maybe",
        "state=tired",
        "camera=%00",
    ],
)
def test_a_filter_that_is_not_understood_is_told_beside_the_fields(
    alice: User, pictures: dict[str, Image], query: str
) -> None:
    response = browser(alice).get(f"/?{query}")
    assert response.status_code == 400
    page = response.content.decode()
    assert 'class="errors" role="alert"' in page
    assert "filter-form" in page
    assert titles(response) == []


@pytest.mark.parametrize("page", ["/", "/recent/", "/timeline/", "/archive/", "/explore/"])
def test_the_fields_come_when_the_panel_is_opened(alice: User, page: str) -> None:
    upload(alice)
    client = browser(alice)
    closed = client.get(page, {"scope": "mine"})
    assert "camera" not in attributes(closed, "name")
    (later,) = [link for link in attributes(closed, "hx-get") if "only=filters" in link]
    # Scripts get the fields alone. Without scripts, the page comes with its panel open.
    fields = client.get(later, headers=HTMX)
    assert "camera" in attributes(fields, "name")
    assert "<html" not in fields.content.decode()
    whole = client.get(later).content.decode()
    assert "popover" not in whole.split('id="filters"')[1].split(">")[0], "it is a part of the page"
    assert '<input type="hidden" name="scope" value="mine">' in whole
    assert 'name="only"' not in whole


def test_how_many_would_fit_is_told_before(alice: User, pictures: dict[str, Image]) -> None:
    client = browser(alice)
    two = client.get("/?only=count&tag=a", headers=HTMX).content.decode()
    assert "Show 2 pictures" in two
    assert "2 pictures fit" in two
    assert "Show 1 picture\n" in client.get("/?only=count&tag=b", headers=HTMX).content.decode()
    refused = client.get("/?only=count&from=x", headers=HTMX)
    assert refused.status_code == 200
    assert "errors" in refused.content.decode()


def test_scrolling_keeps_the_filters(
    alice: User, pictures: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    client = browser(alice)
    first = client.get("/recent/?tag=a&scope=mine")
    further = client.get(next_page(first), headers=HTMX)
    assert titles(first) + titles(further) == ["green", "red"]
    assert next_page(further) is None
    # This works behind a page with an open panel, too.
    opened = client.get("/recent/?tag=a&scope=mine&only=filters")
    assert titles(client.get(next_page(opened), headers=HTMX)) == titles(further)


def test_nothing_fits(alice: User, pictures: dict[str, Image]) -> None:
    page = browser(alice).get("/?camera=None").content.decode()
    assert "No picture fits these filters" in page
    assert "Your gallery is empty" not in page


def test_visitors_are_offered_what_they_can_use(pictures: dict[str, Image]) -> None:
    names = attributes(browser().get("/?only=filters"), "name")
    assert {"on", "from", "to", "camera", "orientation", "owner"} <= set(names)
    assert not {"tag", "album", "visibility", "state", "favourite"} & set(names)
    assert "data-check" not in names


def test_suggestions_tell_nothing_of_what_is_hidden(
    alice: User, bob: User, pictures: dict[str, Image]
) -> None:
    cameras, owners = reverse("filter_cameras"), reverse("filter_owners")
    assert attributes(browser(alice).get(cameras), "value") == ["Canon R5"]
    assert attributes(browser(bob).get(cameras), "value") == []
    assert attributes(browser(bob).get(owners), "value") == ["alice"]
    Image.objects.update(visibility="private")
    assert attributes(browser(bob).get(owners), "value") == []


@pytest.mark.parametrize("query", ["", "tag=a", "scope=mine&from=2025-01-01&to=2025-12-31"])
def test_the_selection_of_a_list_is_what_it_shows(
    alice: User, pictures: dict[str, Image], query: str
) -> None:
    response = browser(alice).get(f"/?{query}")
    (source,) = attributes(response, "data-selection")
    meant = selection.resolve(json.loads(source), alice)
    assert sorted(meant.values_list("title", flat=True)) == titles(response)


# --- Favourites, archive, tags ------------------------------------------------------


def test_favourites_are_everybodys_own(alice: User, bob: User, pictures: dict[str, Image]) -> None:
    assert titles(browser(alice).get(reverse("favourites"))) == ["blue"]
    page = browser(bob).get(reverse("favourites"))
    assert titles(page) == []
    assert "No favourites yet" in page.content.decode()
    favourites.mark(bob, [pictures["blue"].pk])
    assert titles(browser(bob).get(reverse("favourites"))) == ["blue"]
    Image.objects.update(visibility="private")
    assert titles(browser(bob).get(reverse("favourites"))) == []


def test_archived_pictures_leave_the_home_page(
    alice: User, bob: User, pictures: dict[str, Image]
) -> None:
    bulk.run("archive", {"ids": [str(pictures["blue"].pk)]}, alice)
    for user in (alice, bob):
        assert "blue" not in titles(browser(user).get("/"))
    assert titles(browser(alice).get(reverse("archive"))) == ["blue"]
    assert titles(browser(bob).get(reverse("archive"))) == []


def test_the_list_of_tags_is_ones_own(alice: User, bob: User, pictures: dict[str, Image]) -> None:
    page = browser(alice).get(reverse("tags")).content.decode()
    assert "2 pictures" in page
    assert "No tags yet" in browser(bob).get(reverse("tags")).content.decode()
    tag = Tag.objects.get(owner=alice, name="a")
    assert titles(browser(alice).get(reverse("tag", args=[tag.pk]))) == ["green", "red"]


@pytest.mark.parametrize(
    ("method", "name"), [("get", "tag"), ("post", "tag_rename"), ("post", "tag_delete")]
)
def test_tags_of_others_are_404(
    alice: User, bob: User, pictures: dict[str, Image], method: str, name: str
) -> None:
    tag = Tag.objects.get(owner=alice, name="a")
    response = getattr(browser(bob), method)(reverse(name, args=[tag.pk]), {"name": "b"})
    assert response.status_code == 404
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["a", "b"]


def test_rename_a_tag(alice: User, pictures: dict[str, Image]) -> None:
    tag = Tag.objects.get(name="a")
    page = browser(alice).post(reverse("tag_rename", args=[tag.pk]), {"name": "new"}, follow=True)
    assert "“a” is “new” now." in page.content.decode()
    tag.refresh_from_db()
    assert tag.name == "new"


def test_the_name_of_another_tag_merges_the_two(alice: User, pictures: dict[str, Image]) -> None:
    tag = Tag.objects.get(name="a")
    page = browser(alice).post(reverse("tag_rename", args=[tag.pk]), {"name": "B"}, follow=True)
    assert "are one tag now" in page.content.decode()
    merged = Tag.objects.get()
    assert sorted(merged.images.values_list("title", flat=True)) == ["green", "red"]


def test_a_name_that_does_not_do_is_refused(alice: User, pictures: dict[str, Image]) -> None:
    tag = Tag.objects.get(name="a")
    response = browser(alice).post(reverse("tag_rename", args=[tag.pk]), {"name": "x" * 51})
    assert response.status_code == 400
    assert "at most 50 characters" in response.content.decode()


def test_delete_a_tag_and_undo(alice: User, pictures: dict[str, Image]) -> None:
    tag = Tag.objects.get(name="a")
    client = browser(alice)
    page = client.post(reverse("tag_delete", args=[tag.pk]), follow=True)
    assert not Tag.objects.filter(name="a").exists()
    (undo,) = [a for a in attributes(page, "action") if a.startswith("/changes/")]
    client.post(undo)
    back = Tag.objects.get(name="a")
    assert sorted(back.images.values_list("title", flat=True)) == ["green", "red"]


def test_changes_of_others_cannot_be_undone(
    alice: User, bob: User, pictures: dict[str, Image]
) -> None:
    bulk.run("archive", {"all": True}, alice)
    change = Change.objects.get()
    address = reverse("change_undo", args=[change.pk])
    assert browser(bob).post(address).status_code == 404
    assert Image.objects.filter(archived_at__isnull=False).count() == 3
    assert browser(alice).post(address, headers={"Referer": "http://evil.example/"}).url == "/"
    assert not Image.objects.filter(archived_at__isnull=False).exists()
    assert browser(alice).post(address).status_code == 410


# --- Trash ------------------------------------------------------------------------


def deleted(owner: User, colour: str, days: float = 0) -> Image:
    image = picture(owner, colour)
    service.delete_image(image)
    when = timezone.now() - timedelta(days=days)
    Image.objects.filter(pk=image.pk).update(deleted_at=when)
    return image


def test_the_trash_tells_how_long_each_picture_stays(alice: User) -> None:
    deleted(alice, "red", days=0.5)
    deleted(alice, "green", days=29.5)
    page = browser(alice).get(reverse("trash")).content.decode()
    assert "30 days</span>" in page
    assert "1 day</span>" in page


def test_the_trash_is_ones_own(alice: User, bob: User) -> None:
    image = deleted(alice, "red")
    assert titles(browser(bob).get(reverse("trash"))) == []
    for name in ("trash_picture", "trash_thumbnail"):
        address = reverse(name, args=[image.pk])
        assert browser(alice).get(address).status_code == 200
        assert browser(bob).get(address).status_code == 404


def test_restore_all_and_undo(alice: User, bob: User) -> None:
    mine, others = deleted(alice, "red"), deleted(bob, "green")
    client = browser(alice)
    page = client.post(reverse("trash_restore_all"), follow=True)
    assert "1 picture restored." in page.content.decode()
    assert Image.objects.get(pk=mine.pk).deleted_at is None
    assert Image.objects.get(pk=others.pk).deleted_at is not None
    (undo,) = [a for a in attributes(page, "action") if a.startswith("/changes/")]
    client.post(undo)
    assert Image.objects.get(pk=mine.pk).deleted_at is not None


def test_empty_the_trash(alice: User, bob: User, dispatched: list[Any]) -> None:
    deleted(alice, "red")
    theirs, kept = deleted(bob, "green"), picture(alice, "blue")
    page = browser(alice).post(reverse("trash_empty"), follow=True).content.decode()
    assert "The trash is empty: 1 picture deleted for good." in page
    assert not Image.objects.in_trash_of(alice).exists()
    assert Image.objects.in_trash_of(bob).get() == theirs
    assert Image.objects.owned_by(alice).get() == kept


@pytest.mark.parametrize("name", ["favourites", "archive", "tags", "tags_pick", "albums"])
def test_pages_of_members_ask_visitors_to_sign_in(name: str) -> None:
    assert browser().get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", ["trash_empty", "trash_restore_all", "album_create"])
def test_a_link_alone_changes_nothing(alice: User, name: str) -> None:
    deleted(alice, "red")
    assert browser(alice).get(reverse(name)).status_code in {200, 405}
    assert Image.objects.in_trash_of(alice).count() == 1
