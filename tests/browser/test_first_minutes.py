"""The first steps of a new user, with the real model, from signing up to the undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Site, hand_over

pytestmark = [pytest.mark.browser, pytest.mark.worker, pytest.mark.django_db(transaction=True)]

UPLOADED = ("chelsea", "coffee")


def test_the_first_five_minutes(
    encoder_worker: Any, media_worker: Any, site: Site, photos: dict[str, Path]
) -> None:
    page = site.open()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Username").fill("carol")
    page.get_by_label("Email").fill("carol@example.org")
    for label in ("Password", "Password (again)"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").click()

    expect(page.get_by_role("heading", name="Your gallery is empty")).to_be_visible()
    page.get_by_role("link", name="Upload pictures").click()
    page.locator("#files").set_input_files([photos[name] for name in UPLOADED])
    ready = page.locator(".upload-row[data-state=ready]")
    expect(ready).to_have_count(len(UPLOADED), timeout=90_000)
    expect(page.locator("#summary")).to_have_text("All done: 2 ready, 0 already there, 0 failed")
    page.get_by_role("link", name="See my pictures").click()
    expect(page.locator("[data-tile]")).to_have_count(len(UPLOADED))

    best = page.locator("[data-tile]").first.locator("img")
    for query, answer in (("a cup of coffee", "coffee.jpg"), ("一只猫", "chelsea.jpg")):
        page.get_by_label("Search pictures").fill(query)
        page.get_by_label("Search pictures").press("Enter")
        expect(page.get_by_label("Search pictures")).to_have_value(query)
        expect(best).to_have_attribute("alt", answer)

    best.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("chelsea.jpg")
    page.wait_for_load_state()
    page.keyboard.press("i")
    page.locator(".more-facts summary").click()
    expect(page.locator("#state")).to_have_text("Searchable")
    expect(page.locator(".similar [data-tile] img")).to_have_attribute("alt", "coffee.jpg")

    page.locator("#classify > summary").click()
    page.get_by_label("Categories").fill("dog, cat, 飞机")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bar-row .name")).to_have_count(3)
    expect(page.locator(".bar-row .name").first).to_have_text("cat")

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("Chelsea on her blanket")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chelsea on her blanket")

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("coffee.jpg")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chelsea on her blanket")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site.url}/search/?q=%E4%B8%80%E5%8F%AA%E7%8C%AB")


def test_search_by_a_picture_that_is_pasted(
    encoder_worker: Any, media_worker: Any, site: Site, photos: dict[str, Path], member: Any
) -> None:
    site.enter(member)
    page = site.open("/upload/")
    page.locator("#files").set_input_files([photos["coffee"], photos["astronaut"]])
    expect(page.locator(".upload-row[data-state=ready]")).to_have_count(2, timeout=90_000)

    site.open()
    hand_over(page, "paste", photos["astronaut"])
    expect(page.get_by_role("heading", name="Pictures like yours")).to_be_visible()
    expect(page.get_by_text("This very picture is here already")).to_be_visible()
    expect(page.locator("[data-query-preview]")).to_be_visible()
    expect(page.locator("[data-tile] img")).to_have_attribute("alt", "coffee.jpg")

    # Going forth and back, and a reload, do not send the picture again.
    page.locator("[data-tile]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("coffee.jpg")
    page.wait_for_load_state()  # the scripts listen by then
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Pictures like yours")).to_be_visible()
    page.reload()
    expect(page.locator("[data-query-preview]")).to_be_visible()
    expect(page.locator("[data-tile]")).to_have_count(1)


def test_a_picture_that_is_classified_and_not_kept(
    encoder_worker: Any, site: Site, photos: dict[str, Path], member: Any
) -> None:
    site.expected_errors = ["400"]
    site.enter(member)
    page = site.open("/classify/")
    page.get_by_label("Picture", exact=True).set_input_files(photos["coffee"])
    expect(page.locator("[data-preview]")).to_be_visible()
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("Name at least one category")

    page.get_by_label("Categories").fill("cat\ncoffee")
    page.get_by_label("Allow “none of these”").check()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bar-row .name").first).to_have_text("coffee")
    expect(page.locator(".bar-row.none .name")).to_have_text("none of these")
    assert not member.images.exists()
