"""Lists with filters, which are part of the address."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from gallery.library.visual_features import visual_features_of
from gallery.models import Image, User
from tests.browser.conftest import Site
from tests.browser.selecting import (
    COUNT,
    act,
    expect_said,
    fill_gallery,
    names,
    tile,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    fill_gallery(member)
    site.enter(member)
    return site.open()


def open_filters(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^Filter( \d+|\d+)?$")).click()


def test_filters_live_in_the_address(gallery: Page, site: Site) -> None:
    Image.objects.filter(title__in=names(3, 4)).update(camera="Canon")
    open_filters(gallery)
    gallery.get_by_role("combobox", name="Camera").fill("Canon")
    gallery.get_by_label("Shape").select_option("Landscape")
    expect(gallery.locator("#filters [role=status]")).to_have_text("2 pictures fit")
    gallery.get_by_role("button", name="Show 2 pictures").click()
    # Only fields with a value are in the address.
    expect(gallery).to_have_url(f"{site.url}/?camera=Canon&orientation=landscape")
    expect(gallery.locator("[data-tile]")).to_have_count(2)

    gallery.get_by_role("link", name="Landscape").click()
    expect(gallery).to_have_url(f"{site.url}/?camera=Canon")
    gallery.go_back()
    expect(gallery.get_by_role("link", name="Landscape")).to_be_visible()
    gallery.go_back()
    expect(gallery).to_have_url(f"{site.url}/")
    expect(tile(gallery, 19)).to_be_visible()
    gallery.go_forward()
    gallery.get_by_role("link", name="Clear all").first.click()
    expect(gallery).to_have_url(f"{site.url}/")


def paint(*colours: str) -> None:
    """Give the newest pictures these colours, as a worker does."""
    for number, colour in enumerate(colours):
        looks = visual_features_of(Pillow.new("RGB", (9, 9), colour))
        Image.objects.filter(title=f"Picture {COUNT - 1 - number}").update(**looks)


def test_colours_are_chosen_by_swatch_and_by_any_colour(gallery: Page, site: Site) -> None:
    paint("red", "#c00000", "teal", "#8844cc")
    open_filters(gallery)
    status = gallery.locator("#filters [role=status]")
    red = gallery.get_by_role("checkbox", name="Red", exact=True)
    red.focus()
    gallery.keyboard.press("Space")
    expect(status).to_have_text("2 pictures fit")
    red.uncheck()
    expect(status).to_have_text(f"{COUNT} pictures fit")
    gallery.get_by_label("Another colour").fill("#8844cc")
    expect(gallery.get_by_role("checkbox", name="#8844cc")).to_be_checked()
    expect(status).to_have_text("1 picture fits")
    gallery.get_by_role("button", name=re.compile("^Show")).click()
    expect(gallery).to_have_url(f"{site.url}/?color=%238844cc")
    expect(gallery.locator("[data-tile]")).to_have_count(1)
    # It stays among the choices, and its chip removes it.
    open_filters(gallery)
    expect(gallery.get_by_role("checkbox", name="#8844cc")).to_be_checked()
    gallery.get_by_role("link", name="#8844cc").click()
    expect(gallery).to_have_url(f"{site.url}/")


def test_words_and_size(gallery: Page, site: Site) -> None:
    Image.objects.filter(title__in=names(3, 4)).update(width=4000, height=3000)
    open_filters(gallery)
    status = gallery.locator("#filters [role=status]")
    large = gallery.get_by_role("button", name="Large")
    large.click()
    expect(status).to_have_text("2 pictures fit")
    expect(large).to_have_attribute("aria-pressed", "true")
    gallery.get_by_label("Words").fill("picture 4")
    gallery.get_by_label("Megapixels from").fill("11.5")
    expect(large).to_have_attribute("aria-pressed", "false")
    gallery.get_by_role("button", name=re.compile("^Show")).click()
    expect(gallery).to_have_url(f"{site.url}/?words=picture+4&size_min=11.5")
    expect(tile(gallery, 4)).to_be_visible()
    expect(gallery.locator("[data-tile]")).to_have_count(1)
    expect(gallery.get_by_role("link", name="11.5 MP or more")).to_be_visible()
    gallery.get_by_role("link", name="Words: picture 4").click()
    expect(gallery.locator("[data-tile]")).to_have_count(2)


def test_words_that_do_not_count_are_said_to(gallery: Page, site: Site) -> None:
    site.expected_errors.append("400")
    page = site.open("/?words=the")
    expect(page.get_by_role("alert")).to_contain_text("Give other words")


def test_the_colours_of_a_picture_search_for_pictures_like_it(gallery: Page, site: Site) -> None:
    site.expected_errors.append("503")  # no model finds similar pictures here
    paint("#c00000")
    image = Image.objects.get(title=f"Picture {COUNT - 1}")
    cookie = {"name": "viewer-panel", "value": "open", "url": site.url}
    gallery.context.add_cookies([cookie])  # type: ignore[list-item]
    page = site.open(f"/images/{image.pk}/")
    colour = page.get_by_role("link", name="Search for this colour: Red, 100 %")
    expect(colour).to_have_attribute("href", "/search/?q=color%3A%23c00000")


@pytest.mark.parametrize("width", [320, 768])
def test_the_panel_fits_a_narrow_screen(gallery: Page, width: int) -> None:
    gallery.set_viewport_size({"width": width, "height": 700})
    open_filters(gallery)
    expect(gallery.get_by_role("button", name=f"Show {COUNT} pictures")).to_be_in_viewport()
    wide = gallery.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    fields = gallery.locator(".filter-fields")
    assert fields.evaluate("fields => fields.scrollWidth - fields.clientWidth") <= 0
    # The foot stays where it is.
    fields.evaluate("fields => fields.scrollTo(0, fields.scrollHeight)")
    expect(gallery.get_by_role("button", name=f"Show {COUNT} pictures")).to_be_in_viewport()


def test_all_of_a_filtered_list(gallery: Page, site: Site) -> None:
    Image.objects.filter(title__in=names(3, 4)).update(camera="Canon")
    page = site.open("/?camera=Canon")
    page.keyboard.press("Control+a")
    act(page, "Delete")
    expect_said(page, "2 pictures moved to the trash.")
    assert Image.objects.filter(deleted_at__isnull=True).count() == COUNT - 2


def test_filters_work_without_scripts(gallery: Page, site: Site, browser: Any) -> None:
    Image.objects.filter(title="Picture 3").update(camera="Canon")
    context = browser.new_context(
        java_script_enabled=False, storage_state=gallery.context.storage_state()
    )
    page = context.new_page()
    page.goto(site.url)
    open_filters(page)
    page.get_by_role("link", name="All filters").click()
    page.get_by_role("combobox", name="Camera").fill("Canon")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-tile]")).to_have_count(1)
    context.close()


def test_the_sheet_by_keyboard(gallery: Page) -> None:
    button = gallery.get_by_role("button", name="Filter", exact=True)
    button.focus()
    gallery.keyboard.press("Enter")
    sheet = gallery.get_by_role("dialog", name="Filters")
    words = sheet.get_by_label("Words")
    expect(words).to_be_visible()
    gallery.keyboard.press("Tab")
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    gallery.keyboard.press("Tab")
    expect(words).to_be_focused()
    gallery.keyboard.press("Escape")
    expect(words).to_be_hidden()
    expect(button).to_be_focused()


def test_the_sheet_lies_at_the_side_or_at_the_foot(gallery: Page) -> None:
    gallery.emulate_media(reduced_motion="reduce")
    sheet = gallery.locator(".filters-sheet")
    gallery.set_viewport_size({"width": 1280, "height": 800})
    open_filters(gallery)
    box = sheet.bounding_box()
    assert box is not None
    assert (box["y"], box["height"]) == (0, 800)
    assert box["x"] > 800
    # The grid beside it is still seen; a click there closes the sheet.
    gallery.mouse.click(300, 90)
    expect(sheet).to_be_hidden()
    gallery.set_viewport_size({"width": 390, "height": 800})
    open_filters(gallery)
    box = sheet.bounding_box()
    assert box is not None
    assert box["width"] > 370  # beside it there may be the room of a scrollbar
    assert box["y"] > 50
    assert box["y"] + box["height"] == 800
    title, close = (
        sheet.locator(f".filters-head {part}").bounding_box() for part in ("h2", "button")
    )
    assert title
    assert close
    assert title["x"] < close["x"]


def test_back_closes_the_sheet_on_phones(gallery: Page, site: Site) -> None:
    Image.objects.filter(title__in=names(3, 4)).update(camera="Canon")
    gallery.set_viewport_size({"width": 390, "height": 800})
    page = site.open("/recent/")
    sheet = page.locator(".filters-sheet")
    open_filters(page)
    page.wait_for_function("() => history.state?.over")
    page.go_back()
    expect(sheet).to_be_hidden()
    expect(page).to_have_url(f"{site.url}/recent/")
    # Closed otherwise, the sheet leaves nothing behind in the history.
    open_filters(page)
    page.get_by_role("dialog", name="Filters").get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()
    page.wait_for_function("() => !history.state?.over")
    open_filters(page)
    page.mouse.click(195, 20)  # above the sheet
    expect(sheet).to_be_hidden()
    page.wait_for_function("() => !history.state?.over")
    open_filters(page)
    page.get_by_role("combobox", name="Camera").fill("Canon")
    page.get_by_role("button", name="Show 2 pictures").click()
    expect(page).to_have_url(f"{site.url}/recent/?camera=Canon")
    expect(sheet).to_be_hidden()
    page.go_back()
    expect(page).to_have_url(f"{site.url}/recent/")
    expect(sheet).to_be_hidden()
    page.go_back()
    expect(page).to_have_url(f"{site.url}/")


def test_dates_are_one_choice_or_two_ends(gallery: Page, site: Site) -> None:
    today = timezone.localdate()
    last_year = datetime(today.year - 1, 5, 3, tzinfo=UTC)
    Image.objects.filter(title__in=names(3, 4)).update(captured_at=last_year)
    open_filters(gallery)
    dates = gallery.get_by_role("group", name="Date taken", exact=True)
    span, first, last = (
        dates.get_by_role("combobox", name="Date taken"),
        dates.get_by_label("Taken from"),
        dates.get_by_label("until"),
    )
    span.select_option("Last year")
    expect(gallery.get_by_role("button", name="Show 2 pictures")).to_be_visible()
    # The ends take the place of the span, and the other way round.
    first.fill(f"{today.year - 1}-05-04")
    expect(span).to_have_value("")
    expect(gallery.get_by_role("button", name=f"Show {COUNT - 2} pictures")).to_be_visible()
    last.fill(f"{today.year - 1}-05-31")
    # The years are those of the library.
    years = span.locator("optgroup option")
    expect(years.filter(has_text=str(today.year - 1))).to_have_count(1)
    span.select_option(str(today.year - 1))
    expect(first).to_have_value("")
    expect(last).to_have_value("")
    gallery.get_by_role("button", name="Show 2 pictures").click()
    expect(gallery).to_have_url(f"{site.url}/?on={today.year - 1}")
    chips = gallery.get_by_role("list", name="Filters").get_by_role("listitem")
    expect(chips.first).to_contain_text(str(today.year - 1))
    expect(chips).to_have_count(2)  # the other one clears all
    open_filters(gallery)
    expect(span).to_have_value(str(today.year - 1))


def test_a_wrong_filter_opens_the_sheet_and_is_told(gallery: Page, site: Site) -> None:
    site.expected_errors.append("400")
    page = site.open("/?words=the")
    sheet = page.get_by_role("dialog", name="Filters")
    expect(sheet.get_by_role("alert")).to_contain_text("Give other words")
    sheet.get_by_label("Words").fill("picture 4")
    page.get_by_role("button", name="Show 1 picture").click()
    expect(page.locator("[data-tile]")).to_have_count(1)
