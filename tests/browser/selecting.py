"""Selecting pictures in the browser, for the tests of acts on them."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from gallery.models import Image, User
from tests.conftest import draw, upload

COUNT = 20


def fill_gallery(owner: User, count: int = COUNT) -> list[Image]:
    """Create the pictures 0 to `count` - 1. Lists show the newest first, which has the highest
    number."""
    return [
        upload(owner, draw(300, 200, (number * 4, 90, 120)), title=f"Picture {number}")
        for number in range(count)
    ]


def tile(page: Page, number: int) -> Locator:
    return page.locator("li.tile", has=page.get_by_alt_text(f"Picture {number}", exact=True))


def pick(page: Page, *numbers: int) -> None:
    for number in numbers:
        tile(page, number).hover()
        tile(page, number).get_by_role("checkbox").click()


def chosen(page: Page) -> list[str]:
    """Return the names of the marked tiles in the document."""
    return page.eval_on_selector_all("li.tile.selected img", "images => images.map(({alt}) => alt)")


def names(*numbers: int) -> list[str]:
    return [f"Picture {number}" for number in numbers]


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Selected pictures")


def act(page: Page, name: str) -> None:
    bar(page).get_by_role("button", name=name, exact=True).click()


def expect_said(page: Page, text: str) -> None:
    expect(page.locator("#toasts")).to_contain_text(text)


def undo(page: Page) -> None:
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect_said(page, "Undone")
