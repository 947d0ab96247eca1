"""The back button closes what lies over the page, and nothing of it stays in the history."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from gallery.models import User
from tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(site: Site, member: User) -> Page:
    """The albums of a user who came from the page about the search."""
    site.sign_in(member)
    site.open("/about/")
    page = site.open("/albums/")
    page.wait_for_load_state()
    return page


def is_over(page: Page) -> bool:
    return bool(page.evaluate("Boolean(history.state?.over)"))


def open_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.wait_for_function("history.state?.over")


def test_back_closes_a_dialog_and_goes_on_from_the_page(site: Site, page: Page) -> None:
    open_keys(page)
    page.go_back()
    expect(page.locator("#keys")).to_be_hidden()
    expect(page).to_have_url(f"{site.url}/albums/")
    page.go_back()
    expect(page).to_have_url(f"{site.url}/about/")


def test_a_closed_dialog_leaves_nothing_to_go_back_through(site: Site, page: Page) -> None:
    for _time in range(2):
        open_keys(page)
        page.keyboard.press("Escape")
        expect(page.locator("#keys")).to_be_hidden()
        page.wait_for_function("!history.state?.over")
    page.go_back()
    expect(page).to_have_url(f"{site.url}/about/")


@pytest.mark.usefixtures("phone")
def test_a_link_of_a_sheet_leads_on_from_the_page_below(site: Site, page: Page) -> None:
    page.get_by_role("button", name="More", exact=True).click()
    sheet = page.locator("#rail")
    expect(sheet).to_be_visible()
    page.wait_for_function("history.state?.over")
    sheet.get_by_role("link", name="Trash").click()
    expect(page).to_have_url(f"{site.url}/trash/")
    page.go_back()
    expect(page).to_have_url(f"{site.url}/albums/")
    expect(page.locator("#rail")).to_be_hidden()
    assert not is_over(page)
    page.go_back()
    expect(page).to_have_url(f"{site.url}/about/")


def test_the_page_behind_a_dialog_stands_still(page: Page) -> None:
    open_keys(page)
    look = "getComputedStyle(document.documentElement)"
    assert page.evaluate(f"{look}.overflowY") == "hidden"
    assert page.evaluate(f"{look}.backgroundColor") != page.evaluate(
        "getComputedStyle(document.body).backgroundColor"
    ), "the gutter of the scrollbar looks like the page under the backdrop"
