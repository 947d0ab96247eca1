"""The way to every place: the rail, the bar at the foot of small screens, and the menu."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from gallery.models import Album, User
from tests.browser.conftest import Site
from tests.browser.many import NEWEST, many
from tests.browser.test_virtual import SETTLED
from tests.conftest import draw, upload

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IN_RAIL = {
    **{"Photos": "home", "Explore": "explore", "Albums": "albums", "Favourites": "favourites"},
    **{
        "Sharing": "shared_with_me",
        "Searches": "searches",
        "Tags": "tags",
        "Categories": "label_sets",
    },
    **{"Duplicates": "duplicates", "Archive": "archive", "Trash": "trash"},
}
IN_BAR = {"Photos": "home", "Search": "search", "Albums": "albums", "Upload": "upload"}
LEFT = """() => {
    const shown = [...document.querySelectorAll("main :is(h1, .tabs a, .grid .tile, .page-head)")]
        .filter((element) => element.checkVisibility() && !element.closest(".visually-hidden"))
        .filter((element) => element.getBoundingClientRect().width > 1);
    return Math.min(...shown.map((element) => element.getBoundingClientRect().left));
}"""


@pytest.fixture
def gallery(site: Site, member: User) -> Page:
    upload(member, draw(600, 400))
    Album.objects.create(owner=member, title="One")
    site.sign_in(member)
    return site.page


def rail(page: Page) -> Any:
    return page.get_by_role("navigation", name="Library")


def bar(page: Page) -> Any:
    return page.get_by_role("navigation", name="Shortcuts")


def test_the_rail_leads_to_every_place_and_marks_it(site: Site, gallery: Page) -> None:
    expect(bar(gallery)).to_be_hidden()
    for name, route in IN_RAIL.items():
        rail(gallery).get_by_role("link", name=name, exact=True).click()
        expect(gallery).to_have_url(f"{site.url}{reverse(route)}")
        marked = rail(gallery).locator("[aria-current=page]")
        expect(marked).to_have_text(name)
    site.open(reverse("album_create"))
    expect(rail(gallery).locator("[aria-current=true]")).to_have_text("Albums")


@pytest.mark.parametrize("width", [390, 1023])
def test_on_small_screens_every_place_is_two_taps_away(
    site: Site, gallery: Page, width: int
) -> None:
    gallery.set_viewport_size({"width": width, "height": 740})
    expect(rail(gallery)).to_be_hidden()
    for name, route in IN_BAR.items():
        bar(gallery).get_by_role("link", name=name, exact=True).click()
        expect(gallery).to_have_url(f"{site.url}{reverse(route)}")
        expect(bar(gallery).locator("[aria-current=page]")).to_have_text(name)
    for name, route in IN_RAIL.items():
        if name in IN_BAR:
            continue
        bar(gallery).get_by_role("button", name="More", exact=True).click()
        rail(gallery).get_by_role("link", name=name, exact=True).click()
        expect(gallery).to_have_url(f"{site.url}{reverse(route)}")


def test_the_sheet_closes_by_key_and_gives_the_focus_back(gallery: Page) -> None:
    gallery.set_viewport_size({"width": 390, "height": 740})
    more = bar(gallery).get_by_role("button", name="More", exact=True)
    more.focus()
    gallery.keyboard.press("Enter")
    expect(rail(gallery)).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(rail(gallery)).to_be_hidden()
    expect(more).to_be_focused()


@pytest.mark.parametrize(("width", "height"), [(360, 640), (740, 360), (1280, 600)])
def test_the_menu_never_scrolls(
    site: Site, gallery: Page, member: User, width: int, height: int
) -> None:
    User.objects.filter(pk=member.pk).update(role=User.Role.ADMINISTRATOR, is_staff=True)
    gallery.set_viewport_size({"width": width, "height": height})
    gallery.reload()
    gallery.get_by_role("button", name="Account menu").click()
    menu = gallery.locator("#menu")
    expect(menu.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)
    expect(menu.get_by_role("link", name="Administration")).to_be_in_viewport(ratio=1)
    assert menu.evaluate("menu => menu.scrollHeight <= menu.clientHeight")


@pytest.mark.parametrize("width", [390, 1024, 1440, 2560])
def test_all_pages_have_one_left_edge(site: Site, gallery: Page, width: int) -> None:
    gallery.set_viewport_size({"width": width, "height": 800})
    routes = ["home", "recent", "albums", "album_create", "tags", "trash", "links", "account_home"]
    edges = {}
    for route in routes:
        site.open(reverse(route))
        gallery.wait_for_load_state()
        edges[route] = round(gallery.evaluate(LEFT))
    assert max(edges.values()) - min(edges.values()) <= 1, edges


def test_the_bar_covers_nothing_at_the_end_of_a_page(site: Site, gallery: Page) -> None:
    gallery.set_viewport_size({"width": 390, "height": 500})
    site.open(reverse("account_home"))
    gallery.evaluate("() => window.scrollTo(0, document.documentElement.scrollHeight)")
    ends = gallery.evaluate("() => document.querySelector('main').getBoundingClientRect().bottom")
    box = bar(gallery).bounding_box()
    assert box is not None
    assert ends <= box["y"] + 1


# --- The timeline as the home page --------------------------------------------------


def test_the_heading_of_the_month_sticks_and_names_the_day(site: Site, member: User) -> None:
    many(member, [NEWEST - timedelta(hours=8 * number) for number in range(50)])
    site.sign_in(member)
    page = site.page
    page.wait_for_function(SETTLED)
    head = page.locator("#month-2024-06 .month-head")
    expect(head.locator(".month-day")).to_have_text("")
    page.evaluate("() => window.scrollTo(0, 900)")
    expect(head.locator(".month-day")).not_to_have_text("")
    header = page.locator(".header").bounding_box()
    box = head.bounding_box()
    assert header is not None
    assert box is not None
    assert abs(box["y"] - header["height"]) <= 1
    shown = head.locator(".month-day").inner_text()
    days = page.locator("#month-2024-06 .day h3").all_inner_texts()
    assert shown in days
    page.evaluate("() => window.scrollTo(0, 0)")
    expect(head.locator(".month-day")).to_have_text("")


def test_the_bar_names_the_month_under_the_mouse(site: Site, member: User) -> None:
    many(member, [NEWEST - timedelta(days=30 * number) for number in range(40)])
    site.sign_in(member)
    page = site.page
    page.wait_for_function(SETTLED)
    box = page.locator("#scrubber").bounding_box()
    assert box is not None
    bubble = page.locator(".scrubber-bubble")
    expect(bubble).to_be_hidden()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 2)
    expect(bubble).to_be_visible()
    last = page.locator(".month").last.get_attribute("data-label")
    expect(bubble).to_contain_text(str(last))
    assert page.evaluate("() => scrollY") == 0
    page.mouse.move(box["x"] + 20, box["y"] + 2)
    expect(bubble).to_contain_text("June 2024")
    page.mouse.move(200, 300)
    expect(bubble).to_be_hidden()


def test_home_shows_pictures_without_scripts(site: Site, gallery: Page, browser: Any) -> None:
    state = gallery.context.storage_state()
    context = browser.new_context(java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator("[data-tile] img")).to_be_visible()
    page.get_by_role("link", name="All pictures").click()
    expect(page.get_by_role("heading", name="Recently added", level=1)).to_be_attached()
    expect(page.locator("[data-tile] img")).to_be_visible()
    context.close()


def test_pictures_of_the_page_and_fetched_ones_are_one_month(
    site: Site, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.web.lists.timeline.FIRST", 7)
    images = many(member, [NEWEST - timedelta(hours=number) for number in range(20)])
    site.sign_in(member)
    page = site.page
    page.wait_for_function(SETTLED)
    seen: dict[str, None] = {}
    for _ in range(6):
        page.wait_for_function(SETTLED)
        found = page.locator("li.tile[data-id]").evaluate_all("all => all.map(t => t.dataset.id)")
        seen |= dict.fromkeys(found)
        page.evaluate("() => window.scrollBy(0, 500)")
    assert list(seen) == [str(image.pk) for image in images]
