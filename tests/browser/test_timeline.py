"""The timeline and its bar."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, Request, expect

from gallery.models import User
from tests.browser.conftest import Site
from tests.browser.many import NEWEST, many
from tests.browser.test_virtual import SEEN_FIRST, SETTLED, SHOWN

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LARGE = 330  # pictures of the newest month
TOP = "() => document.querySelector('#month-2024-06 .grid').getBoundingClientRect().height"


def moments() -> list[datetime]:
    """Many moments in June 2024, and one in each of the five years before."""
    june = [NEWEST - timedelta(hours=number) for number in range(LARGE)]
    return june + [NEWEST - timedelta(days=365 * years + 60) for years in range(5)]


@pytest.fixture
def ids(site: Site, member: User) -> list[str]:
    images = many(member, moments())
    site.enter(member)
    site.open("/timeline/")
    site.page.wait_for_function(SETTLED)
    return [str(image.pk) for image in images]


def press_bar(page: Page, share: float) -> None:
    box = page.locator("#scrubber").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] * share)


def test_it_begins_at_the_top_with_days(site: Site, ids: list[str]) -> None:
    page = site.page
    assert page.evaluate("() => scrollY") == 0
    shown = page.evaluate(SHOWN)
    assert shown == ids[: len(shown)]
    expect(
        page.get_by_role("heading", name="Thu, 20 Jun").or_(
            page.get_by_role("heading", name="Thu, Jun 20")
        )
    ).to_be_visible()


def test_the_latest_days_have_names_which_follow_the_clock(site: Site, member: User) -> None:
    page = site.page
    page.clock.set_fixed_time(NEWEST)
    many(member, [NEWEST - timedelta(days=days) for days in (0, 1, 3, 8)])
    site.enter(member)
    site.open("/timeline/")
    headings = page.locator(".day h3")
    expect(headings).to_have_text(["Today", "Yesterday", "Monday", re.compile("Jun")])
    # The page stays open over midnight.
    page.clock.set_fixed_time(NEWEST + timedelta(days=1))
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(headings).to_have_text(["Yesterday", "Wednesday", "Monday", re.compile("Jun")])


def test_a_large_month_comes_in_parts_without_a_jump(site: Site, ids: list[str]) -> None:
    page = site.page
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.evaluate(f"() => window.scrollTo(0, ({TOP})() * 0.7)")
    page.wait_for_function(SETTLED)
    parts = [request.url for request in asked if "month=2024-06" in request.url]
    assert 1 <= len(parts) <= 3  # not all four
    before = page.evaluate(SEEN_FIRST)
    # The months above get their true height now, and nothing moves.
    page.evaluate("() => window.scrollBy(0, -100)")
    page.wait_for_function(SETTLED)
    page.evaluate("() => window.scrollBy(0, 100)")
    after = page.evaluate(SEEN_FIRST)
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) <= 2


def test_the_bar_leads_anywhere_by_mouse(site: Site, ids: list[str]) -> None:
    page = site.page
    press_bar(page, 0.02)
    page.mouse.down()
    press_bar(page, 0.4)
    bubble = page.locator(".scrubber-bubble")
    expect(bubble).to_contain_text("June 2024")
    expect(bubble).to_contain_text(f"{LARGE} pictures")
    press_bar(page, 0.999)
    page.mouse.up()
    page.wait_for_function(SETTLED)
    assert page.evaluate(SHOWN)[-1] == ids[-1]
    expect(page.locator("#scrubber")).to_have_attribute("aria-valuetext", r"April 2020, 1 picture")


def test_the_bar_is_a_slider_for_the_keyboard(site: Site, ids: list[str]) -> None:
    page = site.page
    bar = page.get_by_role("slider", name="Month")
    expect(bar).to_have_attribute("aria-valuetext", f"June 2024, {LARGE} pictures")
    expect(bar).to_have_attribute("aria-valuemax", "6")
    bar.focus()
    for key, value in [("ArrowDown", "2"), ("PageDown", "3"), ("End", "6"), ("ArrowUp", "5")]:
        page.keyboard.press(key)
        expect(bar).to_have_attribute("aria-valuenow", value)
    page.keyboard.press("Home")
    expect(bar).to_have_attribute("aria-valuenow", "1")
    page.wait_for_function(SETTLED)
    assert page.evaluate(SHOWN)[0] == ids[0]


def test_arrows_walk_from_month_to_month(site: Site, ids: list[str]) -> None:
    page = site.page
    page.get_by_role("slider", name="Month").focus()
    page.keyboard.press("End")
    page.wait_for_function(SETTLED)
    page.locator(f"[data-id='{ids[-1]}'] a").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f"[data-id='{ids[-2]}'] a")).to_be_focused()


def test_open_walk_and_come_back(site: Site, ids: list[str]) -> None:
    page = site.page
    page.get_by_role("slider", name="Month").focus()
    page.keyboard.press("End")
    page.wait_for_function(SETTLED)
    page.locator(f"[data-id='{ids[-3]}'] a").click()
    page.wait_for_url(f"**/images/{ids[-3]}/")
    page.wait_for_load_state()
    for pk in (ids[-2], ids[-1]):
        expect(page.locator("[data-walk='1']")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(f"{site.url}/images/{pk}/")
    expect(page.locator("[data-walk='1']")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site.url}/timeline/")
    expect(page.locator(f"[data-id='{ids[-1]}'] a")).to_be_in_viewport()


def test_a_day_and_a_month_are_selected_by_their_headings(site: Site, ids: list[str]) -> None:
    """A month in parts: those that are not loaded yet belong to it, too."""
    page = site.page
    bar = page.get_by_role("region", name="Selected pictures")
    month = page.get_by_role("checkbox", name="Select all of June 2024")
    day = page.locator(".day").first.get_by_role("checkbox")
    day.focus()
    expect(day).to_have_css("opacity", "1")
    page.keyboard.press("Space")
    expect(day).to_be_checked()
    expect(bar).to_contain_text("13 selected")
    expect(month).to_have_attribute("aria-checked", "mixed")
    month.focus()
    page.keyboard.press("Space")
    expect(bar).to_contain_text(f"{LARGE} selected")
    expect(month).to_be_checked()
    day.focus()
    page.keyboard.press("Space")
    expect(bar).to_contain_text(f"{LARGE - 13} selected")
    expect(month).to_have_attribute("aria-checked", "mixed")


def test_typing_a_search_leaves_the_page_where_it_is(site: Site, ids: list[str]) -> None:
    page = site.page
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_function(SETTLED)
    page.keyboard.press("/")
    page.keyboard.type("beach", delay=20)
    expect(page.get_by_label("Search pictures")).to_have_value("beach")
    assert page.evaluate("scrollY") == 1500


def test_it_fits_a_phone(site: Site, ids: list[str], phone: None) -> None:
    page = site.open("/timeline/")
    page.wait_for_function(SETTLED)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    press_bar(page, 0.5)
    page.mouse.down()
    expect(page.locator(".scrubber-bubble")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    page.mouse.up()


def test_an_empty_timeline(site: Site, member: User) -> None:
    site.enter(member)
    page = site.open("/timeline/")
    expect(page.get_by_role("heading", name="Your gallery is empty")).to_be_visible()
    expect(page.locator("#scrubber")).to_have_count(0)
