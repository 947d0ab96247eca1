"""Lists with filters, which are part of the address."""

from __future__ import annotations

from typing import Any

import pytest
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
from tests.browser.signing_in import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    fill_gallery(member)
    enter(site, member)
    return site.open()


def test_filters_live_in_the_address(gallery: Page, site: Site) -> None:
    Image.objects.filter(title__in=names(3, 4)).update(camera="Canon")
    gallery.locator("#filters summary").click()
    gallery.get_by_label("Camera").fill("Canon")
    gallery.get_by_label("Shape").select_option("Landscape")
    expect(gallery.locator("#filters [role=status]")).to_have_text("2 pictures fit")
    gallery.get_by_role("button", name="Show", exact=True).click()
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
    gallery.locator("#filters summary").click()
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
    gallery.get_by_role("button", name="Show", exact=True).click()
    expect(gallery).to_have_url(f"{site.url}/?color=%238844cc")
    expect(gallery.locator("[data-tile]")).to_have_count(1)
    # It stays among the choices, and its chip removes it.
    gallery.locator("#filters summary").click()
    expect(gallery.get_by_role("checkbox", name="#8844cc")).to_be_checked()
    gallery.get_by_role("link", name="#8844cc").click()
    expect(gallery).to_have_url(f"{site.url}/")


def test_words_and_size(gallery: Page, site: Site) -> None:
    Image.objects.filter(title__in=names(3, 4)).update(width=4000, height=3000)
    gallery.locator("#filters summary").click()
    status = gallery.locator("#filters [role=status]")
    large = gallery.get_by_role("button", name="Large")
    large.click()
    expect(status).to_have_text("2 pictures fit")
    expect(large).to_have_attribute("aria-pressed", "true")
    gallery.get_by_label("Words").fill("picture 4")
    gallery.get_by_label("Megapixels from").fill("11.5")
    expect(large).to_have_attribute("aria-pressed", "false")
    gallery.get_by_role("button", name="Show", exact=True).click()
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
    page = site.open(f"/images/{image.pk}/")
    page.get_by_role("button", name="Info").click()
    colour = page.get_by_role("link", name="Search for this colour: Red, 100 %")
    expect(colour).to_have_attribute("href", "/search/?q=color%3A%23c00000")


@pytest.mark.parametrize("width", [320, 768])
def test_the_panel_fits_a_narrow_screen(gallery: Page, width: int) -> None:
    gallery.set_viewport_size({"width": width, "height": 700})
    gallery.locator("#filters summary").click()
    expect(gallery.get_by_role("button", name="Show", exact=True)).to_be_attached()
    wide = gallery.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    inner = gallery.locator(".filter-form").evaluate("form => form.scrollWidth - form.clientWidth")
    assert inner <= 0


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
    page.locator("#filters summary").click()
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Camera").fill("Canon")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-tile]")).to_have_count(1)
    context.close()


def test_the_panel_by_keyboard(gallery: Page) -> None:
    summary = gallery.locator("#filters summary")
    summary.focus()
    gallery.keyboard.press("Enter")
    words = gallery.get_by_label("Words")
    expect(words).to_be_visible()
    gallery.keyboard.press("Tab")
    expect(words).to_be_focused()
    gallery.keyboard.press("Escape")
    expect(words).to_be_hidden()
    expect(summary).to_be_focused()
