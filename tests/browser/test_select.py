"""Selecting pictures in lists: by click, range, long press, keys, and all at once."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Favourite, Image, User
from gallery.web.lists import listing
from gallery.web.searching import search
from tests.browser.conftest import Site
from tests.browser.selecting import (
    COUNT,
    act,
    bar,
    chosen,
    expect_said,
    fill_gallery,
    names,
    pick,
    tile,
    undo,
)
from tests.conftest import wait_for
from tests.factories import set_vector
from tests.web_tools import fake_encoder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    fill_gallery(member)
    site.enter(member)
    return site.open()


def test_by_click(gallery: Page) -> None:
    expect(bar(gallery)).to_be_hidden()
    pick(gallery, 19)
    expect(bar(gallery)).to_be_visible()
    expect(bar(gallery)).to_contain_text("1 selected")
    # A click on the picture selects it now, instead of opening it.
    tile(gallery, 17).get_by_role("link").click()
    expect(bar(gallery)).to_contain_text("2 selected")
    assert chosen(gallery) == names(19, 17)
    expect(tile(gallery, 17).get_by_role("checkbox")).to_be_checked()
    tile(gallery, 19).get_by_role("link").click()
    assert chosen(gallery) == names(17)
    bar(gallery).get_by_role("button", name="Clear the selection").click()
    expect(bar(gallery)).to_be_hidden()
    assert chosen(gallery) == []


def test_a_range_by_shift(gallery: Page) -> None:
    pick(gallery, 18)
    tile(gallery, 15).get_by_role("link").click(modifiers=["Shift"])
    assert chosen(gallery) == names(18, 17, 16, 15)
    # The range follows, and can shrink, too.
    tile(gallery, 17).get_by_role("link").click(modifiers=["Shift"])
    assert chosen(gallery) == names(18, 17)


def test_by_keys(gallery: Page, site: Site) -> None:
    gallery.keyboard.press("ArrowRight")
    gallery.keyboard.press("x")
    assert chosen(gallery) == names(19)
    gallery.keyboard.press("Shift+ArrowRight")
    gallery.keyboard.press("Shift+ArrowRight")
    assert chosen(gallery) == names(19, 18, 17)
    gallery.keyboard.press("Shift+ArrowLeft")
    assert chosen(gallery) == names(19, 18)
    gallery.keyboard.press("ArrowRight")
    gallery.keyboard.press("Space")
    assert chosen(gallery) == names(19, 18, 17)
    expect(gallery.locator("#bulk-live")).to_have_text("3 selected")
    gallery.keyboard.press("Escape")
    assert chosen(gallery) == []
    expect(bar(gallery)).to_be_hidden()


def test_the_button_for_those_who_neither_hover_nor_know(gallery: Page) -> None:
    gallery.get_by_role("button", name="Select", exact=True).click()
    expect(bar(gallery)).to_contain_text("0 selected")
    expect(bar(gallery).get_by_role("button", name="Delete")).to_be_disabled()
    tile(gallery, 19).get_by_role("link").click()
    expect(bar(gallery)).to_contain_text("1 selected")


def test_by_a_long_press(site: Site, member: User, browser: Any) -> None:
    fill_gallery(member, 4)
    site.enter(member)
    context = browser.new_context(
        has_touch=True,
        is_mobile=True,
        viewport={"width": 390, "height": 800},
        storage_state=site.page.context.storage_state(),
    )
    page = context.new_page()
    page.goto(site.url)
    box = tile(page, 2).bounding_box()
    assert box
    point = {"x": box["x"] + 40, "y": box["y"] + 40}
    touch = context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(bar(page)).to_contain_text("1 selected")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert chosen(page) == names(2)
    tile(page, 1).get_by_role("link").tap()
    expect(bar(page)).to_contain_text("2 selected")
    bar(page).get_by_role("button", name="Clear the selection").tap()
    # Without lifting the finger, over the next ones.
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(bar(page)).to_contain_text("1 selected")
    scrolled = page.evaluate("scrollY")
    for number in (1, 0, 1):
        box = tile(page, number).bounding_box()
        assert box
        point = {"x": box["x"] + 20, "y": box["y"] + 20}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    expect(bar(page)).to_contain_text("2 selected")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert chosen(page) == names(2, 1)
    assert page.evaluate("scrollY") == scrolled
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    context.close()


def test_all_that_the_list_holds_not_only_what_is_loaded(
    site: Site, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 6)
    fill_gallery(member, 30)
    site.enter(member)
    page = site.open("/recent/")
    page.set_viewport_size({"width": 1280, "height": 500})
    expect(tile(page, 29)).to_be_visible()
    page.keyboard.press("Control+a")
    expect(bar(page)).to_contain_text("All 30 selected")
    # They are removed one by one, and marked as such when they come into view again.
    tile(page, 29).get_by_role("link").click()
    expect(bar(page)).to_contain_text("All 29 selected")
    act(page, "Archive")
    expect_said(page, "29 pictures archived.")
    left = Image.objects.filter(archived_at__isnull=True)
    assert [image.title for image in left] == ["Picture 29"]
    undo(page)
    assert not Image.objects.filter(archived_at__isnull=False).exists()


def test_a_list_that_is_loaded_to_its_end_is_chosen_picture_by_picture(
    site: Site, member: User
) -> None:
    fill_gallery(member, 5)
    site.enter(member)
    page = site.open()
    expect(tile(page, 4)).to_be_visible()
    page.keyboard.press("Control+a")
    expect(bar(page)).to_contain_text("5 selected")
    expect(bar(page)).not_to_contain_text("All")
    expect(bar(page).get_by_role("button", name="Select all")).to_have_count(0)


def test_a_pick_before_is_taken_up_into_all(
    site: Site, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 6)
    fill_gallery(member, 30)
    site.enter(member)
    page = site.open("/recent/")
    pick(page, 28)
    expect(bar(page).get_by_role("button", name="Select all 30")).to_be_visible()
    page.keyboard.press("Control+a")
    expect(bar(page)).to_contain_text("All 30 selected")


def test_what_is_scrolled_away_stays_chosen(
    site: Site, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 20)
    fill_gallery(member, 60)
    site.enter(member)
    page = site.open("/recent/")
    page.set_viewport_size({"width": 700, "height": 700})
    pick(page, 59)
    # The focused element stays in the document.
    page.evaluate("document.activeElement.blur()")

    def last_is_there() -> int:
        page.mouse.wheel(0, 2000)
        return tile(page, 0).count()

    wait_for(last_is_there, what="the last picture is in the document")
    expect(tile(page, 59)).to_have_count(0)
    page.evaluate("window.scrollTo(0, 0)")
    expect(tile(page, 59).get_by_role("checkbox")).to_be_checked()


def test_visitors_find_and_select_nothing(
    site: Site, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = fake_encoder(monkeypatch)
    for image in fill_gallery(member, 3):
        set_vector(image, space, (1.0, 0.0, 0.0))
    Image.objects.update(visibility="public")
    for address in ("/search/?q=red", "/"):
        page = site.open(address)
        expect(tile(page, 0)).to_be_visible()
        tile(page, 0).get_by_role("link").focus()
        page.keyboard.press("x")
        expect(page.locator("[data-check]")).to_have_count(0)
        page.wait_for_load_state()


def test_all_results_of_a_search(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", 5)
    space = fake_encoder(monkeypatch)
    for number, image in enumerate(fill_gallery(member)):
        set_vector(image, space, (1.0, number / 10, 0.0))
    site.enter(member)
    page = site.open("/search/?q=red")
    page.set_viewport_size({"width": 1280, "height": 400})
    expect(tile(page, 0)).to_be_visible()
    page.keyboard.press("Control+a")
    expect(bar(page)).to_contain_text(f"All {COUNT} selected")
    act(page, "Favourite")
    expect_said(page, f"{COUNT} new favourites.")
    assert Favourite.objects.filter(user=member).count() == COUNT
