"""Keys on a selection, the undo by a key, and the way between the pictures and what floats over
them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from gallery.models import Favourite, Image, User
from tests.browser.conftest import Site
from tests.browser.selecting import bar, chosen, expect_said, fill_gallery, names, tile
from tests.conftest import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    fill_gallery(member)
    site.sign_in(member)
    tile(site.page, 17).get_by_role("link").focus()
    return site.page


def select_two(page: Page) -> None:
    """Select the focused picture 17 and the next one, which has the focus then."""
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    assert chosen(page) == names(17, 16)


def expect_focus(page: Page, number: int) -> None:
    expect(tile(page, number).get_by_role("link")).to_be_focused()


def test_keys_without_a_selection_change_nothing(gallery: Page) -> None:
    for key in ("Delete", "l", "a", "r", "5", "s"):
        gallery.keyboard.press(key)
    expect(gallery.get_by_role("dialog")).to_have_count(0)
    select_two(gallery)  # the page still listens
    assert not Image.objects.filter(deleted_at__isnull=False).exists()
    assert not Favourite.objects.exists()


def test_delete_and_undo_by_keys(gallery: Page, member: User) -> None:
    gallery.evaluate("window.isSamePage = true")
    select_two(gallery)
    gallery.keyboard.press("Delete")
    expect_said(gallery, "2 pictures moved to the trash.")
    expect(tile(gallery, 17)).to_have_count(0)
    expect_focus(gallery, 15)
    button = gallery.locator("#toasts").get_by_role("button", name="Undo")
    expect(button).to_have_attribute("aria-keyshortcuts", "Control+Z")
    expect(button.locator("kbd")).to_be_visible()
    gallery.keyboard.press("Control+z")
    expect_said(gallery, "Undone for 2 pictures.")
    expect_focus(gallery, 17)
    expect(tile(gallery, 16)).to_be_visible()
    assert not Image.objects.filter(deleted_at__isnull=False).exists()
    # Nothing is left to undo: the key does not reach further back.
    gallery.keyboard.press("Control+z")
    assert gallery.evaluate("window.isSamePage"), "the page was loaded again"


def test_an_undo_that_fails_is_offered_again(gallery: Page, site: Site) -> None:
    site.expected_errors = ["ERR_FAILED"]
    select_two(gallery)
    gallery.keyboard.press("Delete")
    expect_said(gallery, "2 pictures moved to the trash.")
    gallery.route("**/undo/", lambda route: route.abort())
    gallery.keyboard.press("Control+z")
    expect_said(gallery, "The server does not answer")
    expect_said(gallery, "2 pictures moved to the trash.")
    gallery.unroute("**/undo/")
    gallery.keyboard.press("Control+z")
    expect_said(gallery, "Undone for 2 pictures.")
    assert not Image.objects.filter(deleted_at__isnull=False).exists()


def test_of_quick_keys_the_last_one_counts(gallery: Page) -> None:
    waited: list[Route] = []

    def slow_first(route: Route) -> None:
        if waited:
            route.continue_()
        else:
            waited.append(route)

    gallery.route("**/bulk/", slow_first)
    select_two(gallery)
    for key in "1405":
        gallery.keyboard.press(key)
    wait_for(lambda: gallery.wait_for_timeout(50) or waited, what="the first request")
    waited[0].continue_()
    wait_for(
        lambda: gallery.wait_for_timeout(50) or Image.objects.filter(rating=5).count() == 2,
        what="five stars",
    )
    expect(gallery.locator("#toasts")).to_contain_text("2 pictures rated.")


def test_a_key_waits_until_all_are_counted(gallery: Page) -> None:
    gallery.keyboard.press("Control+a")
    gallery.keyboard.press("3")
    expect_said(gallery, "20 pictures rated.")
    assert set(Image.objects.values_list("rating", flat=True)) == {3}


def test_a_text_field_keeps_its_own_undo(gallery: Page) -> None:
    select_two(gallery)
    gallery.keyboard.press("Delete")
    expect_said(gallery, "2 pictures moved to the trash.")
    gallery.keyboard.press("/")
    gallery.keyboard.type("sea")
    gallery.keyboard.press("Control+z")
    expect(gallery.get_by_label("Search pictures")).not_to_have_value("sea")
    assert Image.objects.filter(deleted_at__isnull=False).count() == 2


def test_other_keys_mean_what_they_mean_on_a_picture(gallery: Page) -> None:
    select_two(gallery)
    gallery.keyboard.press("s")
    expect(gallery.get_by_role("heading", name="Share 2 pictures")).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(gallery.get_by_role("dialog")).to_have_count(0)
    expect_focus(gallery, 16)
    gallery.keyboard.press("l")
    expect_said(gallery, "2 new favourites.")
    select_two_again(gallery)
    gallery.keyboard.press("4")
    expect_said(gallery, "2 pictures rated.")
    select_two_again(gallery)
    gallery.keyboard.press("a")
    expect_said(gallery, "2 pictures archived.")
    assert Favourite.objects.count() == 2
    assert Image.objects.filter(rating=4, archived_at__isnull=False).count() == 2


def select_two_again(page: Page) -> None:
    tile(page, 17).get_by_role("link").focus()
    select_two(page)


def test_f6_leads_to_the_bar_to_the_notices_and_back(gallery: Page) -> None:
    select_two(gallery)
    gallery.keyboard.press("F6")
    expect(bar(gallery).get_by_role("button", name="Share")).to_be_focused()
    gallery.keyboard.press("F6")
    expect_focus(gallery, 16)
    gallery.keyboard.press("Delete")
    expect_said(gallery, "2 pictures moved to the trash.")
    gallery.keyboard.press("Shift+F6")
    expect(gallery.locator("#toasts").get_by_role("button", name="Undo")).to_be_focused()
    gallery.keyboard.press("F6")
    expect_focus(gallery, 15)


def test_an_undo_waits_for_slow_hands(gallery: Page) -> None:
    gallery.clock.install()
    select_two(gallery)
    gallery.keyboard.press("Delete")
    button = gallery.locator("#toasts").get_by_role("button", name="Undo")
    expect(button).to_be_visible()
    gallery.clock.run_for(19_000)
    expect(button).to_be_visible()
    button.focus()
    gallery.clock.run_for(60_000)
    expect(button).to_be_focused()
    button.blur()
    gallery.clock.run_for(21_000)
    expect(button).to_have_count(0)


def test_the_menu_takes_the_focus_and_gives_it_back(gallery: Page) -> None:
    select_two(gallery)
    more = bar(gallery).get_by_role("button", name="More", exact=True)
    more.focus()
    expect(more).to_have_attribute("aria-expanded", "false")
    gallery.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(bar(gallery).get_by_role("button", name="Change date")).to_be_focused()
    gallery.keyboard.press("ArrowDown")
    expect(bar(gallery).get_by_role("button", name="Change title")).to_be_focused()
    gallery.keyboard.press("End")
    expect(bar(gallery).get_by_role("button", name="Encode again")).to_be_focused()
    gallery.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")
    assert chosen(gallery) == names(17, 16)


def test_the_undo_of_the_viewer_by_a_key(gallery: Page) -> None:
    gallery.keyboard.press("Enter")
    expect(gallery.get_by_role("heading", level=1)).to_have_text("Picture 17")
    gallery.wait_for_load_state()
    gallery.keyboard.press("Delete")
    expect_said(gallery, "Moved to the trash.")
    gallery.keyboard.press("Control+z")
    expect_said(gallery, "Picture restored.")
    expect(gallery.get_by_role("heading", level=1)).to_have_text("Picture 17")


def test_sharing_a_picture_by_a_key_leaves_the_focus_on_its_button(gallery: Page) -> None:
    gallery.keyboard.press("Enter")
    expect(gallery.get_by_role("heading", level=1)).to_have_text("Picture 17")
    gallery.wait_for_load_state()
    gallery.keyboard.press("s")
    expect(gallery.locator("#share")).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(gallery.locator("#share")).to_be_hidden()
    expect(gallery.get_by_role("link", name="Share", exact=True)).to_be_focused()
