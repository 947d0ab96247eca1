"""Turning, cropping and rating pictures, one in the viewer and several in a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Image, User
from tests.browser.axe import violations
from tests.browser.conftest import Site
from tests.browser.selecting import expect_said, undo
from tests.conftest import draw, upload, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def image(site: Site, member: User) -> Image:
    made = upload(member, draw(1600, 1000, "teal"), title="Sea")
    upload(member, draw(800, 800, "gold"), title="Sun")
    site.enter(member)
    return made


def opened(site: Site, image: Image) -> Page:
    page = site.open(f"/images/{image.pk}/")
    expect(page.locator("#stage .fit")).to_be_visible()
    page.wait_for_load_state()
    return page


def has(image: Image, **fields: Any) -> Callable[[], bool]:
    return lambda: Image.objects.filter(pk=image.pk, **fields).exists()


def edited(page: Page) -> Any:
    page.get_by_role("button", name="More", exact=True).click()
    page.locator("#viewer-more").get_by_role("button", name="Rotate and crop").click()
    editor = page.get_by_role("dialog", name="Rotate and crop")
    expect(editor).not_to_have_class(re.compile("loading"))
    return editor


def test_r_turns_the_picture_and_undo_turns_it_back(site: Site, image: Image) -> None:
    # A picture that is still requested while it turns again is gone.
    site.expected_errors += ["404", "503"]
    page = opened(site, image)
    page.keyboard.press("r")
    expect(page.locator("#stage .fit")).to_have_attribute("width", "1000")
    assert has(image, width=1000, height=1600)()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#stage .fit")).to_have_attribute("width", "1600")
    assert has(image, edition="")()
    page.keyboard.press("Shift+R")
    expect(page.locator("#stage .fit")).to_have_attribute("width", "1000")
    assert has(image, recipe__turns=3)()


def test_the_editor_turns_and_crops_by_keys_and_goes_back(site: Site, image: Image) -> None:
    page = opened(site, image)
    editor = edited(page)
    frame = editor.locator("[data-frame]")
    expect(frame).to_be_focused()
    expect(editor.get_by_role("button", name="Back to the original")).to_be_hidden()
    page.keyboard.press("r")
    for _step in range(10):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(frame).to_have_attribute(
        "aria-label", re.compile("0 % left and 1 % top, 100 % wide, 90")
    )
    page.keyboard.press("Enter")
    expect_said(page, "Saved. The original is kept.")
    assert has(image, width=1000, height=1440)()
    expect(page.locator("#stage .fit")).to_have_attribute("height", "1440")
    expect(page.locator("[data-control=more]")).to_be_focused()

    editor = edited(page)
    expect(frame).to_have_attribute("aria-label", re.compile("90 % high"))
    editor.get_by_role("button", name="Back to the original").click()
    editor.get_by_role("button", name="Save").click()
    expect(page.locator("#stage .fit")).to_have_attribute("width", "1600")
    assert has(image, edition="", width=1600, height=1000)()


def test_proportions_are_kept_while_a_corner_is_dragged(site: Site, image: Image) -> None:
    page = opened(site, image)
    editor = edited(page)
    editor.locator("label", has_text="Square").click()
    box = editor.locator("[data-corner=se]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 120, y - 30, steps=3)
    page.mouse.up()
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_be_hidden()
    image.refresh_from_db()
    assert abs(image.width - image.height) <= 2
    assert image.width < 990


def test_cancel_changes_nothing(site: Site, image: Image) -> None:
    page = opened(site, image)
    editor = edited(page)
    editor.get_by_role("button", name="Rotate right").click()
    editor.get_by_role("button", name="Cancel").click()
    expect(editor).to_be_hidden()
    expect(page.locator("#stage .fit")).to_have_attribute("width", "1600")
    assert has(image, edition="")()


def test_a_refusal_is_said_in_the_editor_and_nothing_is_lost(site: Site, image: Image) -> None:
    page = opened(site, image)
    editor = edited(page)
    Image.objects.filter(pk=image.pk).update(frames=2)
    site.expected_errors.append("400")
    editor.get_by_role("button", name="Rotate right").click()
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_have_text(re.compile("Animations cannot be turned"))
    Image.objects.filter(pk=image.pk).update(frames=1)
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_be_hidden()
    assert has(image, recipe__turns=1)()


@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_of_the_editor_is_out_of_reach(site: Site, image: Image, width: int) -> None:
    site.page.set_viewport_size({"width": width, "height": 640})
    page = opened(site, image)
    editor = edited(page)
    assert page.evaluate("document.getElementById('editor').scrollWidth") <= width
    for name in ("Cancel", "Save", "Rotate left", "Rotate right"):
        expect(editor.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert violations(page, {"resultTypes": ["violations"]}, "#editor") == []


def test_stars_by_keys_and_by_mouse(site: Site, image: Image) -> None:
    page = opened(site, image)
    page.keyboard.press("4")
    wait_for(has(image, rating=4), what="four stars")
    page.keyboard.press("i")
    stars = page.get_by_role("group", name="Rating")
    expect(stars.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    stars.get_by_role("button", name="2 stars").click()
    wait_for(has(image, rating=2), what="two stars")
    expect(stars.get_by_role("button", name="2 stars")).to_have_attribute("aria-pressed", "true")
    stars.get_by_role("button", name="2 stars").click()
    wait_for(has(image, rating=0), what="no stars")
    page.keyboard.press("5")
    wait_for(has(image, rating=5), what="five stars")
    page.keyboard.press("0")
    wait_for(has(image, rating=0), what="no stars")


def test_others_see_stars_and_cannot_give_them(site: Site, image: Image, alice: User) -> None:
    Image.objects.filter(pk=image.pk).update(visibility="public", rating=3)
    site.page.context.clear_cookies()
    site.enter(alice)
    page = opened(site, image)
    page.keyboard.press("i")
    expect(page.locator("p.stars")).to_contain_text("3 stars")
    page.keyboard.press("5")
    page.keyboard.press("r")
    expect(page.locator("#stage .fit")).to_have_attribute("width", "1600")
    assert has(image, rating=3, edition="")()


# --- Several ------------------------------------------------------------------------


def more(page: Page, name: str) -> None:
    page.locator("#bulk-bar").get_by_role("button", name="More").click()
    page.locator("#bulk-more").get_by_role("button", name=name).click()


@pytest.fixture
def several(site: Site, image: Image) -> Page:
    page = site.open()
    for title in ("Sea", "Sun"):
        tile = page.locator("li.tile", has=page.get_by_alt_text(title, exact=True))
        tile.hover()
        tile.get_by_role("checkbox").click()
    return page


def test_several_turn_and_turn_back(several: Page, image: Image) -> None:
    more(several, "Rotate left")
    expect_said(several, "2 pictures rotated. The originals are kept.")
    assert set(Image.objects.values_list("recipe__turns", flat=True)) == {3}
    undo(several)
    wait_for(has(image, edition=""), what="the original")


def test_several_get_titles(several: Page) -> None:
    more(several, "Change title")
    several.get_by_role("textbox", name="Title", exact=True).fill("Trip {n}")
    several.keyboard.press("Enter")
    expect_said(several, "Titles of 2 pictures changed.")
    assert set(Image.objects.values_list("title", flat=True)) == {"Trip 1", "Trip 2"}


def test_several_move_in_time(several: Page, image: Image) -> None:
    before = image.taken_at
    more(several, "Change date")
    several.get_by_label("Move the dates").check()
    dialog = several.locator("#bulk-date")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Days").fill("2")
    dialog.get_by_label("Direction").select_option("earlier")
    dialog.get_by_role("button", name="Apply").click()
    expect_said(several, "Dates of 2 pictures changed.")
    image.refresh_from_db()
    assert (before - image.taken_at).days == 2


def test_several_get_a_day_without_a_time(several: Page, image: Image) -> None:
    """The notice leads to them, and the keyboard goes on in the grid."""
    more(several, "Change date")
    dialog = several.locator("#bulk-date")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose a date.")
    dialog.get_by_label("Date", exact=True).fill("2019-09-04")
    dialog.get_by_role("button", name="Apply").click()
    expect_said(several, "Dates of 2 pictures changed.")
    expect(several.locator("a[data-tile]:focus")).to_have_count(1)
    image.refresh_from_db()
    assert image.captured_clock == datetime(2019, 9, 4, 12)
    several.locator("#toasts").get_by_role("link", name="Show").click()
    expect(several.locator("[data-grid] li.tile")).to_have_count(2)


def test_the_title_of_one_picture_knows_no_numbers(several: Page) -> None:
    hint = several.locator("#bulk-title-hint")
    more(several, "Change title")
    expect(hint).to_contain_text("{n} becomes a number")
    several.keyboard.press("Escape")
    several.locator("li.tile").get_by_role("checkbox").first.click()
    more(several, "Change title")
    expect(hint).to_have_text("Empty: no title.")


def test_several_get_stars(several: Page) -> None:
    more(several, "Rate")
    several.get_by_role("button", name="3 stars").click()
    expect_said(several, "2 pictures rated.")
    assert set(Image.objects.values_list("rating", flat=True)) == {3}
