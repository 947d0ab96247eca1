"""The map: moving, looking, selecting and coming back; and the list of regions for people who do
not use maps."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from gallery.indexing import encoding
from gallery.models import ExploreMap, Image, MapCluster, MapPoint, User
from tests.browser.conftest import Site
from tests.browser.many import in_a_row, many
from tests.factories import make_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIDE = 8  # pictures in a row of each square


@pytest.fixture
def images(site: Site, member: User) -> list[Image]:
    """Two regions, each a square of pictures: 64 on the left and 36 on the right."""
    images = many(member, in_a_row(SIDE**2 + 36))
    space = make_space()
    vectors = [[1, number % 9, 0] for number in range(len(images))]
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    drawn = ExploreMap.objects.create(
        space=space, state="ready", built_at=timezone.now(), laid_out=len(images)
    )
    left, right = (
        MapCluster.objects.create(map=drawn, x=x, y=0.5, size=size)
        for x, size in [(0.25, 64), (0.75, 36)]
    )
    points = []
    for number, image in enumerate(images):
        region, at, side = (left, number, 8) if number < 64 else (right, number - 64, 6)
        x = region.x - 0.15 + 0.3 * (at % side) / (side - 1)
        y = 0.35 + 0.3 * (at // side) / (side - 1)
        points.append(MapPoint(map=drawn, image=image, cluster=region, x=x, y=y))
    MapPoint.objects.bulk_create(points)
    # The encoder is down: regions have no names, and a picture's page has no similar ones.
    site.expected_errors = ["503", "400"]
    site.enter(member)
    return images


def open_map(site: Site, query: str = "") -> Page:
    page = site.open(f"/explore/{query}")
    expect(page.locator("#map")).to_have_attribute("data-points", re.compile(r"\d+"))
    expect(page.locator("[data-region]").first).to_be_visible()
    return page


def spot(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where the point (x, y) of the map is in the window."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def rest(page: Page) -> None:
    """Wait until the address is written, 200 ms after the last move. The page's own clock is used:
    its timers come in order even on a busy machine."""
    page.evaluate("() => new Promise((done) => setTimeout(done, 250))")


def test_zoom_reload_open_and_come_back_to_the_same_place(site: Site, images: list[Image]) -> None:
    page = open_map(site)
    expect(page.locator("#map-status")).to_contain_text("100 pictures on the map.")
    page.mouse.move(*spot(page, 0.75, 0.5))
    for _ in range(3):
        page.mouse.wheel(0, -300)
    expect(page).to_have_url(re.compile(r"at=0\.\d+%2C0\.\d+%2C0\.\d+"))
    rest(page)
    place = page.url
    page.reload()
    expect(page.locator("#map")).to_have_attribute("data-points", "100")
    rest(page)
    assert page.url == place
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#map-card")).to_be_visible()
    rest(page)
    place = page.url
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/images/[0-9a-f-]{36}/$"))
    page.go_back()
    expect(page).to_have_url(place)
    expect(page.locator("#map")).to_have_attribute("data-points", "100")


def test_hover_shows_and_click_opens_the_picture(site: Site, images: list[Image]) -> None:
    page = open_map(site)
    page.get_by_role("button", name="Region 1", exact=True).click()
    expect(page).to_have_url(re.compile("at="))
    card = page.locator("#map-card")
    for step in range(30):  # there is a picture somewhere
        page.mouse.move(*spot(page, 0.3 + step / 60, 0.42))
        if card.is_visible():
            break
    expect(card.locator("[data-name]")).to_have_text(re.compile(r"Picture \d+"))
    href = card.locator("a").get_attribute("href")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(f"{site.url}{href}")


def point_at_one(page: Page) -> tuple[float, float]:
    """Move the mouse to a place where the card shows a picture."""
    for step in range(60):
        place = spot(page, 0.6 + step / 200, 0.45)
        page.mouse.move(*place)
        if page.locator("#map-card").is_visible():
            return place
    raise AssertionError("there is no picture")


def shown_by_card(page: Page) -> str | None:
    card = page.locator("#map-card")
    return card.locator("a").get_attribute("href") if card.is_visible() else None


def expect_card_of_the_pointer(page: Page, x: float, y: float) -> None:
    """Check that the card is as if the mouse had come there just now."""
    rest(page)
    shown = shown_by_card(page)
    page.mouse.move(x + 1, y)
    rest(page)
    assert shown_by_card(page) == shown


def test_the_card_shows_what_the_pointer_is_at_when_the_map_moves(
    site: Site, images: list[Image]
) -> None:
    page = open_map(site)
    x, y = point_at_one(page)
    for _ in range(4):
        page.mouse.wheel(0, -300)
    expect_card_of_the_pointer(page, x, y)
    # While the map is dragged, the card moves along.
    page.mouse.wheel(0, 3000)
    x, y = point_at_one(page)
    href, card = shown_by_card(page), page.locator("#map-card")
    before = card.bounding_box()
    page.mouse.down()
    page.mouse.move(x - 60, y + 30, steps=4)
    rest(page)
    after = card.bounding_box()
    assert before
    assert after
    assert shown_by_card(page) == href
    assert abs(after["x"] - before["x"] + 60) <= 1
    page.mouse.up()
    label = page.get_by_role("button", name="Region 1", exact=True)
    box = label.bounding_box()
    assert box
    label.click()
    expect_card_of_the_pointer(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_it_cannot_be_zoomed_into_nothing(site: Site, images: list[Image]) -> None:
    page = open_map(site)
    page.mouse.move(*spot(page, 0.7, 0.5))
    for _ in range(16):
        page.mouse.wheel(0, -300)
    expect(page).to_have_url(re.compile("at="))
    rest(page)
    span = float(re.findall(r"at=[\d.]+%2C[\d.]+%2C([\d.]+)", page.url)[0])
    # The smaller square's pictures are 0.06 apart.
    assert 0.06 < span < 0.3


def test_the_card_of_a_tap_stays_and_goes_with_its_picture(
    site: Site, images: list[Image], phone: None
) -> None:
    page = open_map(site)
    x, y = point_at_one(page)
    page.mouse.move(0, 0)
    expect(page.locator("#map-card")).to_be_hidden()
    gesture = """(places) => {
        const map = document.getElementById("map");
        map.setPointerCapture = () => {};
        const send = (type, [x, y]) => map.dispatchEvent(new PointerEvent(type, {
            pointerId: 1, pointerType: "touch", bubbles: true, button: 0, clientX: x, clientY: y}));
        send("pointerdown", places[0]);
        for (const place of places) send("pointermove", place);
        for (const type of ["pointerup", "pointerleave"]) send(type, places.at(-1));
    }"""
    page.evaluate(gesture, [[x, y]])
    card = page.locator("#map-card")
    expect(card).to_be_visible()
    before = card.bounding_box()
    page.evaluate(gesture, [[x, y], [x, y + 40]])
    rest(page)
    after = card.bounding_box()
    assert before
    assert after
    assert after["y"] > before["y"] + 10
    # This chooses another region without the mouse, which would point at something there.
    page.get_by_role("button", name="Region 1", exact=True).evaluate("(label) => label.click()")
    expect(card).to_be_hidden()


def test_a_line_selects_what_is_inside(site: Site, images: list[Image]) -> None:
    site.expected_errors = ["404"]  # thumbnails of the deleted pictures are still on their way
    page = open_map(site)
    page.get_by_role("button", name="Select with a line").click()
    page.mouse.move(*spot(page, 0.5, 0.02))
    page.mouse.down()
    for x, y in [(0.02, 0.02), (0.02, 0.98), (0.5, 0.98), (0.5, 0.1)]:
        page.mouse.move(*spot(page, x, y), steps=6)
    page.mouse.up()
    bar = page.locator("#bulk-bar")
    expect(bar).to_contain_text("64 selected")
    bar.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("64 pictures moved to the trash.")
    expect(page.locator("#map")).to_have_attribute("data-points", "36")
    assert (
        Image.objects.filter(pk__in=[image.pk for image in images[:64]])
        .exclude(deleted_at=None)
        .count()
        == 64
    )
    assert not Image.objects.filter(pk__in=[i.pk for i in images[64:]]).exclude(deleted_at=None)


def test_all_works_by_keyboard(site: Site, images: list[Image]) -> None:
    page = open_map(site)
    page.locator("#map").focus()
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("at="))
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
        if page.locator("#map-card").is_visible():
            break
    expect(page.locator("#map-live")).to_have_text(re.compile(r"Picture \d+"))
    page.keyboard.press("x")
    expect(page.locator("#bulk-bar")).to_contain_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk-bar")).to_be_hidden()
    page.locator("#map").focus()
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("at="))


def test_the_regions_are_a_list_as_well(site: Site, images: list[Image]) -> None:
    page = open_map(site)
    expect(page.get_by_text("The regions have no names yet")).to_be_visible()
    rows = page.locator("[data-region]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("64 pictures")
    rows.last.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Region 2")).to_be_visible()
    expect(page.locator("li.tile").first).to_be_visible()
    page.get_by_role("link", name="Show on the map").click()
    expect(page).to_have_url(re.compile(r"/explore/\?at=0\.75"))


def test_it_fits_a_phone_and_a_tap_shows_the_picture(
    site: Site, images: list[Image], phone: None
) -> None:
    page = open_map(site)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    # Two fingers move apart: the map zooms in.
    page.evaluate(
        """() => {
            const map = document.getElementById("map");
            map.setPointerCapture = () => {};
            const box = map.getBoundingClientRect();
            const send = (type, id, x, y) => map.dispatchEvent(new PointerEvent(type, {
                pointerId: id, pointerType: "touch", bubbles: true, button: 0,
                clientX: box.left + x, clientY: box.top + y}));
            send("pointerdown", 1, 100, 150);
            send("pointerdown", 2, 160, 150);
            for (let step = 1; step <= 10; step += 1) {
                send("pointermove", 1, 100 - 4 * step, 150);
                send("pointermove", 2, 160 + 4 * step, 150);
            }
            send("pointerup", 1, 60, 150);
            send("pointerup", 2, 200, 150);
        }"""
    )
    expect(page).to_have_url(re.compile("at="))


def test_without_an_account_there_are_the_public_ones(
    site: Site, images: list[Image], member: User
) -> None:
    Image.objects.filter(pk__in=[image.pk for image in images[:5]]).update(visibility="public")
    site.sign_out()
    page = open_map(site)
    expect(page.locator("#map")).to_have_attribute("data-points", "5")
    expect(page.get_by_role("button", name="Select with a line")).to_have_count(0)
    expect(page.locator("[data-region]")).to_have_count(1)
