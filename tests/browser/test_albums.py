"""Albums: creating, filling, editing in place, arranging by mouse, finger and keys, deleting."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from gallery.models import Album, AlbumItem, AlbumShare, Image, User
from gallery.organising import albums
from tests.browser.conftest import Site
from tests.browser.selecting import act, chosen, expect_said, pick, tile, undo
from tests.conftest import draw, upload, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def album(site: Site, member: User) -> Album:
    """An album with the pictures 0 to 4, in this order. Its owner is signed in."""
    made = albums.create(member, "Trip")
    for number in range(5):
        image = upload(member, draw(300, 200, (number * 40, 90, 120)), title=f"Picture {number}")
        albums.add_images(made, Image.objects.filter(pk=image.pk), member)
    site.enter(member)
    return made


def order_of(album: Album) -> list[int]:
    items = AlbumItem.objects.filter(album=album).order_by("position")
    return [int(title[-1]) for title in items.values_list("image__title", flat=True)]


def open_album(site: Site, album: Album, name: str = "album") -> Page:
    return site.open(reverse(name, args=[album.pk]))


def test_from_nothing_to_an_album_with_pictures(site: Site, member: User) -> None:
    for number in range(3):
        upload(member, draw(300, 200, (number * 40, 90, 120)), title=f"Picture {number}")
    site.enter(member)
    page = site.open(reverse("albums"))
    page.get_by_role("link", name="New album").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("First trip")
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="This album is empty")).to_be_visible()

    page.get_by_role("link", name="Add pictures").first.click()
    # This page is only for choosing: a click is enough, once its script is loaded.
    page.wait_for_load_state()
    tile(page, 2).get_by_role("link").click()
    tile(page, 0).get_by_role("link").click()
    act(page, "Add to the album")
    expect(page.get_by_role("heading", level=1)).to_have_text("First trip")
    expect_said(page, "2 pictures added.")
    expect(page.locator("[data-tile]")).to_have_count(2)
    undo(page)
    expect(page.get_by_role("heading", name="This album is empty")).to_be_visible()


def test_title_and_description_are_edited_in_place(site: Site, album: Album) -> None:
    page = open_album(site, album)
    page.get_by_role("link", name="Edit title and description").click()
    expect(page.locator("#album-title")).to_be_focused()
    page.locator("#album-title").fill("Journey")
    page.get_by_label("Description").fill("By train")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Journey")
    expect(page.get_by_text("By train")).to_be_visible()
    expect(tile(page, 0)).to_be_visible()


def test_take_out_and_undo(site: Site, album: Album) -> None:
    page = open_album(site, album)
    pick(page, 1, 3)
    act(page, "Take out")
    expect_said(page, "2 pictures taken out of the album.")
    expect(tile(page, 1)).to_have_count(0)
    assert order_of(album) == [0, 2, 4]
    undo(page)
    expect(tile(page, 1)).to_be_visible()
    assert order_of(album) == [0, 1, 2, 3, 4]


def test_the_cover_is_one_picture(site: Site, album: Album) -> None:
    page = open_album(site, album)
    pick(page, 1, 3)
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("button", name="Make it the cover")).to_be_disabled()
    page.keyboard.press("Escape")
    tile(page, 1).get_by_role("link").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Make it the cover").click()
    expect_said(page, "This picture is the album's cover now.")
    album.refresh_from_db()
    assert album.cover
    assert album.cover.title == "Picture 3"


def test_delete_and_undo(site: Site, album: Album) -> None:
    page = open_album(site, album)
    page.get_by_role("button", name="Delete the album").click()
    expect_said(page, "Album deleted. Its pictures stay.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trip")


def test_whom_it_is_shared_with(site: Site, album: Album, member: User) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", "bob-password")
    AlbumShare.objects.create(album=album, user=bob, role="view")
    site.enter(bob)
    page = site.open(reverse("albums"))
    expect(page.get_by_text("shared with you by dora")).to_be_visible()
    page.get_by_role("link", name="Trip").click()
    for missing in ("Add pictures", "Arrange", "Share"):
        expect(page.get_by_role("link", name=missing)).to_have_count(0)
    # Neither the album nor its pictures belong to him.
    pick(page, 1, 2)
    act(page, "Take out")
    expect_said(page, "2 are not yours and stay as they are.")
    assert order_of(album) == [0, 1, 2, 3, 4]
    pick(page, 1)
    act(page, "Delete")
    expect_said(page, "1 is not yours and stays as it is.")
    assert Image.objects.owned_by(member).count() == 5


# --- Arranging --------------------------------------------------------------------


@pytest.fixture
def arranging(site: Site, album: Album) -> Page:
    return open_album(site, album, "album_arrange")


def expect_order(album: Album, order: list[int]) -> None:
    wait_for(lambda: order_of(album) == order, 10, f"{order}, not {order_of(album)}")


def test_drag_with_the_mouse(arranging: Page, album: Album) -> None:
    arranging.get_by_role("button", name="Picture 4").drag_to(
        arranging.get_by_role("button", name="Picture 1"), target_position={"x": 5, "y": 40}
    )
    expect_order(album, [0, 4, 1, 2, 3])
    arranging.reload()
    shown = arranging.locator("#arrange button").evaluate_all(
        "buttons => buttons.map((one) => Number(one.getAttribute('aria-label').at(-1)))"
    )
    assert shown == [0, 4, 1, 2, 3]


def test_a_drag_that_is_given_up_changes_nothing(arranging: Page, album: Album) -> None:
    start = arranging.get_by_role("button", name="Picture 0").bounding_box()
    end = arranging.get_by_role("button", name="Picture 3").bounding_box()
    assert start
    assert end
    arranging.mouse.move(start["x"] + 30, start["y"] + 30)
    arranging.mouse.down()
    arranging.mouse.move(end["x"] + 60, end["y"] + 30, steps=5)
    expect(arranging.locator("#arrange > li").first).not_to_have_class("dragging")
    arranging.keyboard.press("Escape")
    arranging.mouse.up()
    first = arranging.locator("#arrange button").first
    expect(first).to_have_attribute("aria-label", "Picture 0")
    assert order_of(album) == [0, 1, 2, 3, 4]


def test_move_with_the_keys(arranging: Page, album: Album) -> None:
    arranging.get_by_role("button", name="Picture 2").focus()
    arranging.keyboard.press("Enter")
    expect(arranging.get_by_role("button", name="Picture 2")).to_have_attribute(
        "aria-pressed", "true"
    )
    arranging.keyboard.press("ArrowRight")
    expect(arranging.locator("#arrange-live")).to_have_text("4 of 5")
    arranging.keyboard.press("Enter")
    expect_order(album, [0, 1, 3, 2, 4])
    # The picture moves to the start, and Esc brings it back.
    arranging.keyboard.press("Enter")
    arranging.keyboard.press("Home")
    arranging.keyboard.press("Enter")
    expect_order(album, [2, 0, 1, 3, 4])
    arranging.keyboard.press("Enter")
    arranging.keyboard.press("End")
    arranging.keyboard.press("Escape")
    expect(arranging.get_by_role("button", name="Picture 2")).to_be_focused()
    assert order_of(album) == [2, 0, 1, 3, 4]


def test_move_by_two_clicks(arranging: Page, album: Album) -> None:
    arranging.get_by_role("button", name="Picture 0").click()
    arranging.get_by_role("button", name="Picture 2").click()
    expect_order(album, [1, 2, 0, 3, 4])


def test_what_the_server_refuses_goes_back(
    arranging: Page, album: Album, site: Site, member: User
) -> None:
    site.expected_errors = ["404"]
    albums.trash(album)
    arranging.get_by_role("button", name="Picture 0").click()
    arranging.get_by_role("button", name="Picture 2").click()
    expect(arranging.locator("#toasts .toast")).to_be_visible()
    first = arranging.locator("#arrange button").first
    expect(first).to_have_attribute("aria-label", "Picture 0")


def test_sort_by_date(arranging: Page, album: Album) -> None:
    for number in range(5):
        Image.objects.filter(title=f"Picture {number}").update(
            captured_at=f"2024-05-{20 - number:02}T10:00Z"
        )
    arranging.get_by_role("button", name="Sort by date").click()
    expect_said(arranging, "in the order in which they were taken")
    assert order_of(album) == [4, 3, 2, 1, 0]
    arranging.get_by_role("button", name="Undo").click()
    expect_order(album, [0, 1, 2, 3, 4])


# --- Screens ----------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways(site: Site, album: Album, width: int) -> None:
    long = "A very long title without an end " * 6
    albums.update(album, title=long[:200], description="x" * 400)
    site.page.set_viewport_size({"width": width, "height": 740})
    addresses = [
        *(reverse(n) for n in ("albums", "album_create", "tags", "favourites", "archive", "trash")),
        *(reverse(n, args=[album.pk]) for n in ("album", "album_add", "album_arrange")),
        "/?camera=" + "x" * 100 + "&tag=" + "y" * 50,
    ]
    for address in addresses:
        page = site.open(address)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0, address
        assert page.locator("h1").count() == 1, address
    page = open_album(site, album)
    page.keyboard.press("Control+a")
    expect(page.get_by_role("region", name="Selected pictures")).to_contain_text("5 selected")
    assert page.evaluate(over) <= 0
    # Pictures far below the window are not in the document.
    assert len(chosen(page)) == page.locator("[data-tile]").count() > 0
