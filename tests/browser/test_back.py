"""The back button closes what lies over the page, and nothing of it stays in the history."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from gallery.models import User
from tests.browser.conftest import Site
from tests.conftest import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def albums(site: Site, member: User) -> Page:
    """The albums of a user who came from the page about the search."""
    site.enter(member)
    site.open("/about/")
    page = site.open("/albums/")
    page.wait_for_load_state()
    return page


def is_over(page: Page) -> bool:
    return bool(page.evaluate("Boolean(history.state?.over)"))


def open_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    wait_for(lambda: is_over(page), what="the dialog has an entry")


def test_back_closes_a_dialog_and_goes_on_from_the_page(site: Site, albums: Page) -> None:
    open_keys(albums)
    albums.go_back()
    expect(albums.locator("#keys")).to_be_hidden()
    expect(albums).to_have_url(f"{site.url}/albums/")
    albums.go_back()
    expect(albums).to_have_url(f"{site.url}/about/")


def test_a_closed_dialog_leaves_nothing_to_go_back_through(site: Site, albums: Page) -> None:
    for _time in range(2):
        open_keys(albums)
        albums.keyboard.press("Escape")
        expect(albums.locator("#keys")).to_be_hidden()
        wait_for(lambda: not is_over(albums), what="the entry of the dialog is gone")
    albums.go_back()
    expect(albums).to_have_url(f"{site.url}/about/")


@pytest.mark.usefixtures("phone")
def test_a_link_of_a_sheet_leads_on_from_the_page_below(site: Site, albums: Page) -> None:
    albums.get_by_role("button", name="More", exact=True).click()
    sheet = albums.locator("#rail")
    expect(sheet).to_be_visible()
    wait_for(lambda: is_over(albums), what="the sheet has an entry")
    sheet.get_by_role("link", name="Trash").click()
    expect(albums).to_have_url(f"{site.url}/trash/")
    albums.go_back()
    expect(albums).to_have_url(f"{site.url}/albums/")
    expect(albums.locator("#rail")).to_be_hidden()
    assert not is_over(albums)
    albums.go_back()
    expect(albums).to_have_url(f"{site.url}/about/")


def test_the_page_behind_a_dialog_stands_still(albums: Page) -> None:
    open_keys(albums)
    look = "getComputedStyle(document.documentElement)"
    assert albums.evaluate(f"{look}.overflowY") == "hidden"
    assert albums.evaluate(f"{look}.backgroundColor") != albums.evaluate(
        "getComputedStyle(document.body).backgroundColor"
    ), "the gutter of the scrollbar looks like the page under the backdrop"


def test_menus_in_quick_succession_never_leave_the_page(site: Site, albums: Page) -> None:
    """Each is closed before the entry of the one before is gone."""
    albums.set_viewport_size({"width": 500, "height": 800})
    for _time in range(4):
        albums.evaluate(
            """async () => {
                const menu = document.getElementById("menu");
                for (const wait of [0, 20, 45, 55]) {
                    menu.showPopover();
                    await new Promise((done) => setTimeout(done, 10));
                    menu.hidePopover();
                    await new Promise((done) => setTimeout(done, wait));
                }
            }"""
        )
    wait_for(lambda: not is_over(albums), what="no entry is left")
    expect(albums).to_have_url(f"{site.url}/albums/")
    albums.go_back()
    expect(albums).to_have_url(f"{site.url}/about/")
