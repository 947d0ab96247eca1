"""Every page fits every screen and has names for all its controls, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from gallery.library import service
from gallery.models import Image, User
from tests.browser.conftest import Site
from tests.conftest import draw, upload
from tests.factories import make_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pages(site: Site, member: User) -> list[str]:
    """Return the addresses of all pages, with some content on each. The user is signed in."""
    make_space(architecture="starter")
    long = "A very long title without an end " * 6
    image = upload(member, draw(900, 300), title=long.strip(), description="x" * 400)
    for colour in ("blue", "green", "gold"):
        upload(member, draw(300, 500, colour), name="unbreakable" * 15 + ".jpg")
    service.delete_image(upload(member, draw(colour="black")))
    Image.objects.filter(pk=image.pk).update(latitude=1.5, longitude=2.5, camera="Camera")
    site.sign_in(member)
    site.expected_errors = ["400", "404", "503"]
    names = ["home", "upload", "classify", "trash", "about", "account_change_password"]
    return [
        *map(reverse, names),
        reverse("image", args=[image.pk]),
        reverse("image_edit", args=[image.pk]),
        f"{reverse('search')}?q=",
        "/nowhere/",
    ]


@pytest.fixture
def visitors_pages() -> list[str]:
    names = ["home", "account_login", "account_signup", "account_reset_password"]
    return list(map(reverse, names))


def overflow(page: Page) -> int:
    return page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


UNNAMED = """() => [...document.querySelectorAll("button, a[href], input, textarea, select, img")]
    .filter((element) => element.type !== "hidden" && element.checkVisibility())
    .filter((element) => !(
        element.getAttribute("aria-label") || element.title || element.hasAttribute("alt")
        || element.labels?.length || element.textContent.trim()
        || element.querySelector("img[alt]")
    ))
    .map((element) => element.outerHTML.slice(0, 200))"""

# WCAG 2.2, 2.5.8: 24 px, except for links within a sentence.
TOO_SMALL = """() => [...document.querySelectorAll("button, a[href], input, select, summary")]
    .filter((element) => element.type !== "hidden" && element.checkVisibility())
    .filter((element) => getComputedStyle(element).display !== "inline")
    .filter((element) => !element.closest("label, .skip") && !element.classList.contains("skip"))
    .map((element) => [element.getBoundingClientRect(), element])
    .filter(([box]) => box.width > 0 && (box.width < 24 || box.height < 24))
    .map(([box, element]) => `${box.width}x${box.height} ${element.outerHTML.slice(0, 120)}`)"""


def check(site: Site, addresses: list[str]) -> None:
    for address in addresses:
        page = site.open(address)
        assert overflow(page) <= 0, f"{address} scrolls sideways"
        assert page.evaluate(UNNAMED) == [], address
        assert page.evaluate(TOO_SMALL) == [], address
        assert page.locator("h1").count() == 1, address


@pytest.mark.parametrize("width", [360, 768, 1440, 2560])
def test_pages_fit(site: Site, pages: list[str], width: int) -> None:
    site.page.set_viewport_size({"width": width, "height": 800})
    check(site, pages)


def test_pages_of_visitors_fit_a_phone(site: Site, phone: None, visitors_pages: list[str]) -> None:
    check(site, visitors_pages)


def test_rows_of_the_grid_are_justified(site: Site, pages: list[str]) -> None:
    """All tiles of a row have the same height, and a full row reaches the edge."""
    page = site.open("/")
    page.set_viewport_size({"width": 700, "height": 800})
    boxes = [tile.bounding_box() for tile in page.locator(".tile").all()]
    rows: dict[int, list[Any]] = {}
    for box in filter(None, boxes):
        rows.setdefault(round(box["y"]), []).append(box)
    assert len(rows) > 1
    for row in rows.values():
        heights = [box["height"] for box in row]
        assert max(heights) - min(heights) < 1.5


def test_the_language_is_changed_on_a_phone(site: Site, phone: None) -> None:
    page = site.open("/about/")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page).to_have_url(f"{site.url}/about/")
    page.goto(f"{site.url}/")
    assert page.title() != "Pictures · Clipsite"
    heading = page.get_by_role("heading", level=1).inner_text()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in heading)


def test_pages_in_chinese_fit_a_phone(
    site: Site, phone: None, pages: list[str], visitors_pages: list[str]
) -> None:
    site.page.context.add_cookies(
        [{"name": "django_language", "value": "zh-hans", "url": site.url}]
    )
    check(site, pages)


def test_pages_work_without_scripts(site: Site, pages: list[str], browser: Any) -> None:
    """Viewing, reading and editing work. The upload page says that it needs scripts."""
    state = site.page.context.storage_state()
    context = browser.new_context(java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto(f"{site.url}/upload/")
    expect(page.get_by_text("Uploading needs JavaScript")).to_be_visible()
    page.goto(site.url + pages[6])
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("Without scripts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without scripts")
    context.close()


def test_components_are_shown_light_and_dark(site: Site, member: User) -> None:
    member.role = User.Role.ADMINISTRATOR
    member.save()
    site.enter(member)
    page = site.open(reverse("components"))
    brightness = """(sheet) => {
        const [red, green, blue] = getComputedStyle(sheet).backgroundColor.match(/[\\d.]+/g);
        return Number(red) + Number(green) + Number(blue);
    }"""
    light, dark = page.locator(".components-sheet").all()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert light.evaluate(brightness) > 600 > 150 > dark.evaluate(brightness)
    assert light.locator("*").count() == dark.locator("*").count() > 100
    assert overflow(page) <= 0


@pytest.mark.parametrize("address", ["/classify/", "/upload/"])
def test_touch_screens_read_nothing_of_dropping_and_keys(
    site: Site, member: User, address: str
) -> None:
    site.enter(member)
    assert "drop" in site.open(address).locator("main").inner_text().lower()
    browser = site.page.context.browser
    assert browser
    finger = browser.new_context(
        has_touch=True,
        is_mobile=True,
        viewport={"width": 390, "height": 844},
        storage_state=site.page.context.storage_state(),
    )
    page = finger.new_page()
    page.goto(site.url + address)
    page.get_by_role("button", name="More", exact=True).click()
    text = page.locator("body").inner_text().lower()
    assert "choose" in text
    assert "drop" not in text
    assert "keyboard" not in text
    finger.close()
