"""Infinite scroll shows everything once, and offers a way on if a part fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gallery import keyset
from gallery.errors import Unavailable
from gallery.models import User
from gallery.web.lists import listing
from gallery.web.searching import search
from tests.browser.conftest import Site, hand_over
from tests.conftest import draw, upload
from tests.factories import set_vector
from tests.web_tools import fake_encoder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT = 30


@pytest.fixture
def gallery(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Thirty pictures, in pages of seven. "red" finds the first ones first."""
    monkeypatch.setattr(listing, "PAGE", 7)
    monkeypatch.setattr(search, "PAGE", 7)
    space = fake_encoder(monkeypatch)
    for number in range(COUNT):
        # They are tall: a page of them is higher than the screen.
        image = upload(member, draw(100, 200, (number * 8, 80, 90)), title=f"Picture {number}")
        set_vector(image, space, (1.0, number / 10, 0.0))
    site.sign_in(member)
    return site.page


def scroll_to_the_end(page: Page) -> list[str]:
    tiles = page.locator("[data-tile]")
    while (known := tiles.count()) < COUNT:
        page.mouse.wheel(0, 4000)
        expect(tiles.nth(known)).to_be_attached()
    return page.eval_on_selector_all("[data-tile] img", "images => images.map(({alt}) => alt)")


def test_home_scrolls_through_everything_once(gallery: Page) -> None:
    gallery.set_viewport_size({"width": 700, "height": 500})
    seen = scroll_to_the_end(gallery)
    assert seen == [f"Picture {number}" for number in reversed(range(COUNT))]
    expect(gallery.locator(".more")).to_have_count(0)


def test_results_scroll_through_everything_once(gallery: Page, site: Site) -> None:
    site.open("/search/?q=red")
    assert scroll_to_the_end(gallery) == [f"Picture {number}" for number in range(COUNT)]


def test_a_part_that_fails_can_be_tried_again(
    gallery: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.expected_errors = ["503"]
    page_of = keyset.page

    def fail_after_the_first(images: Any, after: str | None, *rest: Any, **more: Any) -> Any:
        if after:
            raise Unavailable("down", "Wait a little.")
        return page_of(images, after, *rest, **more)

    monkeypatch.setattr(keyset, "page", fail_after_the_first)
    site.open("/recent/")
    expect(gallery.get_by_role("alert")).to_contain_text("Wait a little.")
    monkeypatch.setattr(keyset, "page", page_of)
    gallery.get_by_role("button", name="Try again").click()
    assert len(scroll_to_the_end(gallery)) == COUNT


def test_a_picture_dropped_on_any_page_is_searched_by(
    gallery: Page, site: Site, photos: dict[str, Path]
) -> None:
    page = site.open("/about/")
    hand_over(page, "dragenter", photos["coffee"])
    expect(page.locator("#query-drop")).to_be_visible()
    hand_over(page, "drop", photos["coffee"])
    expect(page.get_by_role("heading", name="Pictures like yours")).to_be_visible()
    expect(page.locator("[data-tile] img").first).to_have_attribute("alt", "Picture 0")
