"""Lists narrowed by filters, which live in the address."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

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
    # Only what was filled in.
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
    page.get_by_label("Camera").fill("Canon")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-tile]")).to_have_count(1)
    context.close()
