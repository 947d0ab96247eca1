"""The keyboard focus is never lost: if an act removes its element, the focus moves beside it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from gallery.models import User
from gallery.organising import search_history
from gallery.web.searching import search
from tests.browser.conftest import Site
from tests.browser.selecting import act, expect_said, fill_gallery, pick, tile, undo
from tests.factories import set_vector
from tests.web_tools import fake_encoder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def results(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr(search, "PAGE", 40)
    space = fake_encoder(monkeypatch)
    for number, image in enumerate(fill_gallery(member, 8)):
        set_vector(image, space, (1.0, number / 10, 0.0))
    site.enter(member)
    page = site.open("/search/?q=red")
    expect(tile(page, 0)).to_be_visible()
    return page


def expect_focus(page: Page, name: str) -> None:
    page.wait_for_function(
        "name => document.activeElement.querySelector(':scope img')?.alt === name", arg=name
    )


def expect_focus_on_a_picture(page: Page) -> None:
    page.wait_for_function("() => document.activeElement.matches('a[data-tile]')")


@pytest.mark.parametrize("key", ["+", "-"])
def test_refining_by_a_key_leaves_the_focus_on_the_results(results: Page, key: str) -> None:
    tile(results, 2).get_by_role("link").focus()
    results.keyboard.press(key)
    expect_said(results, "like Picture 2")
    expect_focus_on_a_picture(results)


@pytest.mark.parametrize("way", ["More", "Less"])
def test_refining_by_a_button_leaves_the_focus_on_the_results(results: Page, way: str) -> None:
    tile(results, 3).hover()
    tile(results, 3).get_by_role("button", name=f"{way} like Picture 3").click()
    expect_said(results, f"{way} like Picture 3")
    expect_focus_on_a_picture(results)


def test_deleting_leaves_the_focus_on_the_next_picture_and_undoing_in_the_grid(
    site: Site, results: Page
) -> None:
    page = site.open("/")
    tile(page, 5).get_by_role("link").focus()
    page.keyboard.press("x")
    act(page, "Delete")
    expect_said(page, "1 picture moved to the trash.")
    expect_focus(page, "Picture 4")
    undo(page)
    expect(tile(page, 5)).to_be_visible()
    page.wait_for_function("() => document.activeElement !== document.body")


def test_acts_that_leave_the_pictures_where_they_are(results: Page) -> None:
    pick(results, 1, 2)
    act(results, "Favourite")
    expect_said(results, "2 new favourites.")
    results.wait_for_function("() => document.activeElement.matches('a[data-tile]')")
    pick(results, 3)
    act(results, "Tags")
    results.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    results.wait_for_function("() => document.activeElement.closest('#bulk-bar')")


def test_clearing_a_selection_goes_back_to_the_pictures(results: Page) -> None:
    pick(results, 6)
    results.get_by_role("button", name="Clear the selection").click()
    expect_focus(results, "Picture 6")


def test_an_erased_row_gives_the_focus_to_the_next_one(site: Site, member: User) -> None:
    for text in ("one", "two", "three"):
        search_history.note(member, text)
    site.enter(member)
    page = site.open("/searches/history/")
    page.get_by_role("button", name="Erase two").click()
    expect(page.locator(".history-row")).to_have_count(2)
    page.wait_for_function("() => document.activeElement.closest('.history-row')")
    assert "one" in page.evaluate("() => document.activeElement.closest('li').textContent")


def test_what_is_left_on_purpose_stays_left(results: Page) -> None:
    tile(results, 2).get_by_role("link").focus()
    results.keyboard.press("Escape")
    results.wait_for_timeout(200)
    assert results.evaluate("() => document.activeElement === document.body")
    results.evaluate("() => document.querySelector('li.tile').remove()")
    results.wait_for_timeout(200)
    assert results.evaluate("() => document.activeElement === document.body")
