"""Everything works by keyboard. Also the theme."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from gallery.models import User
from tests.browser.conftest import Site, all_closed
from tests.conftest import draw, upload

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COLOURS = ["red", "green", "blue", "navy", "teal", "gold", "pink", "gray", "plum", "tan"]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    """Ten pictures, the newest first: ten.jpg to one.jpg."""
    for number, colour in enumerate(COLOURS, start=1):
        upload(member, draw(600, 400, colour), title=f"Picture {number}")
    site.sign_in(member)
    return site.page


def expect_picture(page: Page, number: int) -> None:
    """Check that the picture's page is shown and its scripts listen."""
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Picture {number}")
    page.wait_for_load_state()


def open_first(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus img")).to_have_attribute("alt", "Picture 10")
    page.keyboard.press("Enter")
    expect_picture(page, 10)


def focused(page: Page) -> str:
    return page.evaluate("() => document.activeElement.querySelector('img')?.alt ?? ''")


def test_search_is_a_slash_away(gallery: Page) -> None:
    gallery.keyboard.press("/")
    expect(gallery.get_by_label("Search pictures")).to_be_focused()
    gallery.keyboard.type("t/?")  # keys with an effect outside of fields
    expect(gallery.get_by_label("Search pictures")).to_have_value("t/?")
    gallery.keyboard.press("Escape")
    expect(gallery.get_by_label("Search pictures")).not_to_be_focused()


def test_arrows_move_in_the_grid(gallery: Page) -> None:
    gallery.keyboard.press("ArrowRight")
    assert focused(gallery) == "Picture 10"
    gallery.keyboard.press("ArrowRight")
    assert focused(gallery) == "Picture 9"
    gallery.keyboard.press("ArrowDown")
    below = int(focused(gallery).removeprefix("Picture "))
    assert below < 8
    gallery.keyboard.press("ArrowUp")
    assert focused(gallery) == "Picture 9"
    gallery.keyboard.press("ArrowLeft")
    gallery.keyboard.press("ArrowLeft")
    assert focused(gallery) == "Picture 10"


def test_open_walk_and_come_back(gallery: Page, site: Site) -> None:
    open_first(gallery)
    gallery.keyboard.press("ArrowRight")
    expect_picture(gallery, 9)
    gallery.get_by_role("link", name="Next picture").click()
    expect_picture(gallery, 8)
    gallery.keyboard.press("ArrowLeft")
    expect_picture(gallery, 9)
    # Going back leads to the grid at once, not through each picture.
    gallery.keyboard.press("Escape")
    expect(gallery).to_have_url(f"{site.url}/")


def test_full_screen(gallery: Page) -> None:
    open_first(gallery)
    gallery.keyboard.press("f")
    expect(gallery.locator("html:fullscreen #stage")).to_be_visible()
    gallery.keyboard.press("f")
    expect(gallery.locator("html:fullscreen #stage")).to_have_count(0)


def test_edit_and_give_up(gallery: Page) -> None:
    open_first(gallery)
    gallery.keyboard.press("e")
    expect(gallery.get_by_label("Title")).to_be_focused()
    gallery.keyboard.type(" changed")
    gallery.keyboard.press("Escape")
    expect(gallery.get_by_role("heading", level=1)).to_have_text("Picture 10")
    expect(gallery.get_by_role("link", name="Edit")).to_be_focused()


def test_the_help_names_the_keys_and_can_turn_them_off(gallery: Page) -> None:
    gallery.keyboard.press("?")
    dialog = gallery.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("checkbox").uncheck()
    gallery.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    all_closed(gallery)
    gallery.reload()
    gallery.keyboard.press("/")
    expect(gallery.get_by_label("Search pictures")).not_to_be_focused()


LIGHT, DARK = "rgb(250, 249, 246)", "rgb(18, 19, 21)"


def test_the_theme_follows_the_system_until_one_is_chosen(gallery: Page) -> None:
    html = gallery.locator("html")
    gallery.emulate_media(color_scheme="light")
    expect(html).to_have_css("background-color", LIGHT)
    gallery.emulate_media(color_scheme="dark")
    expect(html).to_have_css("background-color", DARK)
    gallery.keyboard.press("t")
    expect(html).to_have_css("background-color", LIGHT)
    gallery.reload()
    expect(html).to_have_css("background-color", LIGHT)
    # The theme of the system applies again: nothing is stored.
    gallery.keyboard.press("t")
    expect(html).to_have_css("background-color", DARK)
    assert gallery.evaluate("() => localStorage.getItem('theme')") is None
