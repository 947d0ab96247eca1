"""The page of a picture: zooming, going to the next one, and personal notes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, expect

from gallery.models import Album, AlbumItem, Image, Tag, User
from gallery.web.lists import listing
from tests.browser.conftest import PASSWORD, Site
from tests.browser.holding import Held
from tests.conftest import draw, upload, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COLOURS = ["red", "green", "blue", "navy", "teal", "gold", "pink", "gray", "plum", "tan"]
MATRIX = 'new DOMMatrix(getComputedStyle(document.querySelector("#stage .fit")).transform)'
FULL = "html:fullscreen #stage"
SCALE, OFFSET = f"() => {MATRIX}.a", f"() => {MATRIX}.e"


@pytest.fixture
def pictures(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """Ten pictures, the newest first as on the home page, in parts of four. The user is signed
    in."""
    monkeypatch.setattr(listing, "PAGE", 4)
    made = [
        upload(member, draw(1600, 1000, colour), title=f"Picture {number}")
        for number, colour in enumerate(COLOURS)
    ]
    site.sign_in(member)
    return made[::-1]


def address(image: Image) -> str:
    return f"/images/{image.pk}/"


def opened(site: Site, image: Image) -> Page:
    page = site.open(address(image))
    expect(page.locator("#stage .fit")).to_be_visible()
    page.wait_for_load_state()
    return page


def shows(site: Site, image: Image) -> None:
    expect(site.page).to_have_url(f"{site.url}{address(image)}")
    # In full screen the name is hidden.
    expect(site.page.locator("#picture-name")).to_have_text(image.title)


def chosen(page: Page, name: str) -> None:
    """Choose an entry of the menu."""
    page.get_by_role("button", name="More", exact=True).click()
    page.locator("#viewer-more").get_by_role("button", name=name).click()


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#stage").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def touch(page: Page, *steps: list[tuple[float, float]]) -> None:
    """Put fingers down at the first step, move them through the others, and lift them."""
    client = page.context.new_cdp_session(page)
    kinds = ["touchStart", *["touchMove"] * (len(steps) - 1)]
    for kind, points in zip(kinds, steps, strict=True):
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_zoom_by_keys_wheel_and_double_click(site: Site, pictures: list[Image]) -> None:
    page = opened(site, pictures[0])
    files: list[Request] = []
    page.on("request", lambda request: "/file/" in request.url and files.append(request))
    assert page.evaluate(SCALE) == 1
    assert files == []
    page.keyboard.press("+")
    wait_for(lambda: page.evaluate(SCALE) == pytest.approx(1.5))
    # After zooming in, the full file replaces the smaller copy.
    expect(page.locator("#stage .fit")).to_have_attribute("data-sharp", "full")
    assert len(files) >= 1
    page.keyboard.press("-")
    wait_for(lambda: page.evaluate(SCALE) == pytest.approx(1))
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, -300)
    wait_for(lambda: page.evaluate(SCALE) > 1.3)
    page.keyboard.press("0")
    wait_for(lambda: page.evaluate(SCALE) == 1)
    page.mouse.dblclick(*middle(page))
    wait_for(lambda: page.evaluate(SCALE) >= 2)
    # Dragging and arrow keys move it, and Escape shows the whole picture again.
    x, y = middle(page)
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=3)
    page.mouse.up()
    wait_for(lambda: page.evaluate(OFFSET) == pytest.approx(90, abs=2))
    page.keyboard.press("ArrowRight")
    wait_for(lambda: page.evaluate(OFFSET) == pytest.approx(10, abs=2))
    page.keyboard.press("Escape")
    wait_for(lambda: page.evaluate(SCALE) == 1)
    shows(site, pictures[0])


def test_the_wheel_scrolls_the_page_where_nothing_is_zoomed(
    site: Site, pictures: list[Image]
) -> None:
    page = opened(site, pictures[0])
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, 200)
    wait_for(lambda: page.evaluate("() => scrollY") > 0)
    assert page.evaluate(SCALE) == 1


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "has_touch": True}


def test_pinch_double_tap_and_swipe(site: Site, pictures: list[Image], phone: None) -> None:
    page = opened(site, pictures[1])
    expect(page.locator("[data-walk='1']")).to_be_visible()
    x, y = middle(page)
    touch(page, [(x - 30, y), (x + 30, y)], [(x - 50, y), (x + 50, y)], [(x - 75, y), (x + 75, y)])
    wait_for(lambda: page.evaluate(SCALE) == pytest.approx(2.5, abs=0.1))
    page.keyboard.press("0")
    for _ in range(2):
        page.touchscreen.tap(x, y)
    wait_for(lambda: page.evaluate(SCALE) >= 2)
    page.keyboard.press("0")
    touch(page, [(x + 60, y)], [(x, y)], [(x - 80, y)])
    shows(site, pictures[2])
    expect(page.locator("[data-walk='-1']")).to_be_visible()
    touch(page, [(x - 60, y)], [(x, y)], [(x + 80, y)])
    shows(site, pictures[1])
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_on_and_on_past_the_part_that_was_loaded(site: Site, pictures: list[Image]) -> None:
    page = site.open("/")
    page.locator("[data-tile]").first.click()
    page.wait_for_url(f"**{address(pictures[0])}")
    page.wait_for_load_state()
    for image in pictures[1:]:
        expect(page.locator("[data-walk='1']")).to_be_visible()
        page.keyboard.press("ArrowRight")
        shows(site, image)
    expect(page.locator("[data-walk='1']")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site.url}/")


def test_every_step_counts_however_fast_they_come(site: Site, pictures: list[Image]) -> None:
    page = site.open("/")
    page.locator("[data-tile]").first.click()
    page.wait_for_url(f"**{address(pictures[0])}")
    page.wait_for_load_state()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    shows(site, pictures[6])


def test_a_step_without_an_answer_is_said_and_can_be_taken_again(
    site: Site, pictures: list[Image]
) -> None:
    site.expected_errors += ["ERR_FAILED"]
    page = site.page
    page.route(f"**{address(pictures[1])}", lambda route: route.abort())
    opened(site, pictures[0])
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    page.unroute_all(behavior="wait")
    page.keyboard.press("ArrowRight")
    shows(site, pictures[1])


def test_a_picture_that_is_gone_is_passed_by(site: Site, pictures: list[Image]) -> None:
    site.expected_errors += ["404"]
    page = site.open("/")
    Image.objects.filter(pk=pictures[1].pk).update(deleted_at=timezone.now())
    page.locator("[data-tile]").first.click()
    page.wait_for_url(f"**{address(pictures[0])}")
    page.wait_for_load_state()
    page.keyboard.press("ArrowRight")
    shows(site, pictures[2])
    page.keyboard.press("ArrowLeft")
    shows(site, pictures[0])


def test_full_screen_lasts_from_picture_to_picture(site: Site, pictures: list[Image]) -> None:
    page = opened(site, pictures[0])
    expect(page.locator("[data-walk='1']")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator(FULL)).to_be_visible()
    expect(page.locator(".viewer-bar")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    shows(site, pictures[1])
    expect(page.locator(FULL)).to_be_visible()


def test_a_slideshow_ends_with_the_last_picture(site: Site, pictures: list[Image]) -> None:
    page = opened(site, pictures[-3])
    expect(page.locator("[data-walk='1']")).to_be_visible()
    page.keyboard.press(" ")
    page.locator("[name=seconds]").select_option("2")
    play = page.locator("[data-slideshow]")
    expect(page.locator(FULL)).to_be_visible()
    expect(play).to_have_attribute("aria-label", "Pause")
    shows(site, pictures[-2])
    shows(site, pictures[-1])
    expect(page.get_by_text("That was the last picture.")).to_be_visible()
    expect(play).to_have_attribute("aria-label", "Slideshow")
    expect(page.locator(FULL)).to_have_count(0)
    page.keyboard.press(" ")
    expect(play).to_have_attribute("aria-label", "Pause")
    page.keyboard.press("Escape")
    expect(play).to_have_attribute("aria-label", "Slideshow")
    shows(site, pictures[-1])
    # And for the pointer: a cross in the corner of the screen.
    page.keyboard.press(" ")
    expect(page.locator(FULL)).to_be_visible()
    page.get_by_role("button", name="End the slideshow").click()
    expect(page.locator(FULL)).to_have_count(0)
    expect(play).to_have_attribute("aria-label", "Slideshow")
    shows(site, pictures[-1])


def test_favourite_tags_and_archive(site: Site, pictures: list[Image], member: User) -> None:
    image = pictures[0]
    Tag.objects.create(owner=member, name="holiday")
    page = opened(site, image)
    page.keyboard.press("i")
    page.keyboard.press("l")
    expect(page.locator("[data-favourite]")).to_have_attribute("aria-pressed", "true")
    assert member.favourites.get().image == image

    field = page.get_by_label("Add a tag")
    field.fill("lake, 日落")
    field.press("Enter")
    chips = page.locator("#tags .tag-chip")
    expect(chips).to_have_count(2)
    assert sorted(image.tags.values_list("name", flat=True)) == ["lake", "日落"]
    page.get_by_role("button", name="Remove the tag lake").click()
    expect(chips).to_have_text(["日落"])
    assert page.locator("#own-tags option").first.get_attribute("value") == "holiday"

    chosen(page, "Archive")
    expect(page.get_by_text("Archived: no longer on the home page")).to_be_visible()
    image.refresh_from_db()
    assert image.archived_at
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-archive]")).to_have_attribute("aria-pressed", "false")
    image.refresh_from_db()
    assert image.archived_at is None
    page.reload()
    expect(page.locator("[data-favourite]")).to_have_attribute("aria-pressed", "true")
    expect(chips).to_have_text(["日落"])


def test_add_to_an_album(site: Site, pictures: list[Image], member: User) -> None:
    Album.objects.create(owner=member, title="Summer")
    page = opened(site, pictures[0])
    page.keyboard.press("i")
    page.get_by_role("button", name="Add to album").click()
    page.get_by_role("button", name="Summer").click()
    expect(page.get_by_text("Added to the album.")).to_be_visible()
    expect(page.locator(".in-albums").get_by_role("link")).to_have_text("Summer")
    page.get_by_role("button", name="Add to album").click()
    page.get_by_label("Find an album").fill("Winter")
    page.get_by_role("button", name="New album “Winter”").click()
    expect(page.locator(".in-albums").get_by_role("link")).to_have_count(2)
    assert AlbumItem.objects.filter(image=pictures[0]).count() == 2


def test_typing_before_the_albums_are_there(site: Site, pictures: list[Image]) -> None:
    """Typed text waits for the albums. Once nothing waited for them any more, and htmx logged an
    error."""
    page = opened(site, pictures[0])
    held = Held(page, re.compile(r"/albums/pick/"))
    page.get_by_role("button", name="Add to album").click()
    held.wait()
    page.get_by_label("Find an album").fill("Winter")
    page.wait_for_timeout(400)  # longer than the pause after typing
    held.release()
    expect(page.get_by_role("button", name="New album “Winter”")).to_be_visible()


def test_the_date_of_capture_is_changed(site: Site, pictures: list[Image]) -> None:
    page = opened(site, pictures[0])
    page.keyboard.press("e")
    page.get_by_label("Taken").fill("1999-12-31T23:59:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#details [data-cancel]")).to_have_count(0)
    expect(page.locator("#facts")).to_contain_text("1999")
    pictures[0].refresh_from_db()
    assert pictures[0].captured_clock == datetime(1999, 12, 31, 23, 59)


def test_deleting_shows_the_next_picture_and_can_be_undone(
    site: Site, pictures: list[Image]
) -> None:
    page = site.open("/")
    page.locator("[data-tile]").nth(1).click()
    page.wait_for_url(f"**{address(pictures[1])}")
    page.wait_for_load_state()
    small = page.locator(f"#filmstrip [data-strip='{address(pictures[1])}']")
    expect(small).to_have_attribute("aria-current", "true")
    page.keyboard.press("Delete")
    shows(site, pictures[2])
    expect(small).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    shows(site, pictures[0])
    assert Image.objects.get(pk=pictures[1].pk).deleted_at
    page.get_by_role("button", name="Undo").click()
    shows(site, pictures[1])
    expect(small).to_have_attribute("aria-current", "true")
    assert Image.objects.get(pk=pictures[1].pk).deleted_at is None
    # It has its old place in the list again.
    page.keyboard.press("ArrowLeft")
    shows(site, pictures[0])

    page.get_by_role("button", name="Delete").click()
    shows(site, pictures[1])
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site.url}/")
    expect(page.locator(f"[data-id='{pictures[1].pk}']")).to_have_count(1)
    expect(page.locator(f"[data-id='{pictures[0].pk}']")).to_have_count(0)


def test_a_grid_that_the_browser_kept_forgets_deleted_pictures(
    site: Site, pictures: list[Image]
) -> None:
    site.expected_errors.append("404")  # what is still requested for a picture in the trash
    page = site.open("/")
    page.locator("[data-tile]").first.click()
    page.wait_for_url(f"**{address(pictures[0])}")
    page.wait_for_load_state()
    page.keyboard.press("Delete")
    shows(site, pictures[1])
    gone = page.evaluate("() => sessionStorage.getItem('gone')")
    assert str(pictures[0].pk) in gone
    # Browsers under test keep no pages: the page of another picture's grid stands for a kept one.
    Image.objects.filter(pk=pictures[0].pk).update(deleted_at=None)
    site.open("/")
    tile = page.locator(f"[data-id='{pictures[0].pk}']")
    expect(tile).to_have_count(1)
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(tile).to_have_count(0)


def test_deleting_the_last_picture_goes_back_to_the_list(site: Site, member: User) -> None:
    image = upload(member, title="Alone")
    # What is still requested for a picture in the trash is not found.
    site.expected_errors = ["400", "404", "503"]
    site.enter(member)
    page = site.open("/")
    page.locator("[data-tile]").click()
    page.wait_for_url(f"**{address(image)}")
    page.wait_for_load_state()
    expect(page.locator("#filmstrip")).to_be_hidden()
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{site.url}/")
    page.get_by_role("button", name="Undo").click()
    shows(site, image)


def test_the_panel_folds_away_and_stays_as_it_was_left(site: Site, pictures: list[Image]) -> None:
    page = opened(site, pictures[0])
    panel, button = page.locator("#panel"), page.get_by_role("button", name="Info")
    expect(panel).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(panel.get_by_role("heading", name="Info")).to_be_visible()
    page.keyboard.press("ArrowRight")
    shows(site, pictures[1])
    expect(panel).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    # The focus stays on the icon from picture to picture.
    expect(button).to_be_focused()
    panel.get_by_text("More", exact=True).click()
    expect(panel.get_by_text(pictures[1].sha256)).to_be_visible()
    page.reload()
    expect(panel).to_be_visible()
    expect(panel.get_by_text(pictures[1].sha256)).to_be_hidden()
    page.keyboard.press("i")
    expect(panel).to_be_hidden()
    page.reload()
    expect(page.locator("#stage .fit")).to_be_visible()
    expect(panel).to_be_hidden()


def test_on_a_phone_the_panel_is_a_sheet_that_escape_closes(
    site: Site, pictures: list[Image], phone: None
) -> None:
    page = opened(site, pictures[0])
    page.get_by_role("button", name="Info").click()
    panel = page.locator("#panel")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    shows(site, pictures[0])
    acts = page.locator(".viewer-acts > *").evaluate_all(
        "(all) => all.map((one) => { const box = one.getBoundingClientRect();"
        " return [Math.round(box.top), box.left >= 0 && box.right <= innerWidth]; })"
    )
    # One row, and nothing of it is cut.
    assert len({top for top, _ in acts}) == 1
    assert all(inside for _, inside in acts)


def test_the_filmstrip_shows_the_list_and_is_one_stop_of_the_tab_key(
    site: Site, pictures: list[Image]
) -> None:
    page = site.open("/")
    page.locator("[data-tile]").first.click()
    page.wait_for_url(f"**{address(pictures[0])}")
    page.wait_for_load_state()
    strip = page.locator("#filmstrip [data-strip]")
    expect(strip.nth(3)).to_have_attribute("href", address(pictures[3]))
    current = page.locator("#filmstrip [aria-current]")
    expect(current).to_have_attribute("href", address(pictures[0]))
    strip.nth(2).click()
    shows(site, pictures[2])
    expect(current).to_have_attribute("href", address(pictures[2]))
    expect(page.locator("#filmstrip [tabindex='0']")).to_have_count(1)
    expect(current).to_be_focused()
    page.keyboard.press("ArrowRight")
    shows(site, pictures[3])
    expect(current).to_have_attribute("href", address(pictures[3]))
    expect(current).to_be_focused()
    expect(strip.nth(7)).to_have_attribute("href", address(pictures[7]))
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site.url}/")


@pytest.mark.parametrize("order", ["backwards", "shuffled"])
def test_the_order_of_a_slideshow(site: Site, pictures: list[Image], order: str) -> None:
    page = opened(site, pictures[2])
    expect(page.locator("[data-walk='1']")).to_be_visible()
    paths = [address(pictures[2])]
    page.clock.install()
    page.keyboard.press(" ")
    page.locator("[name=order]").select_option(order)
    page.locator("[name=seconds]").select_option("2")
    count = 2 if order == "backwards" else len(pictures) - 1
    for _ in range(count):
        page.clock.run_for(2_000)
        page.wait_for_function("(path) => location.pathname !== path", arg=paths[-1])
        paths.append(page.evaluate("() => location.pathname"))
    page.clock.run_for(2_000)
    expect(page.get_by_text("That was the last picture.")).to_be_visible()
    if order == "backwards":
        assert paths == [address(pictures[number]) for number in (2, 1, 0)]
    else:
        assert sorted(paths) == sorted(map(address, pictures))
    page.reload()
    expect(page.locator("[name=order]")).to_have_value(order)


def test_a_small_picture_is_not_blown_up(site: Site, member: User) -> None:
    icon = upload(member, draw(16, 16, "red"), title="Icon")
    panorama = upload(member, draw(3000, 200, "teal"), title="Panorama")
    site.expected_errors = ["400", "503"]
    site.enter(member)
    page = opened(site, icon)
    box = page.locator("#stage .fit").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (32, 32)
    page = opened(site, panorama)
    box, view = page.locator("#stage .fit").bounding_box(), page.locator("#view").bounding_box()
    assert box is not None
    assert view is not None
    assert box["width"] == pytest.approx(view["width"], abs=1)
    assert box["height"] == pytest.approx(view["width"] / 15, abs=1)


def test_a_long_file_name_is_cut_in_the_middle(site: Site, member: User) -> None:
    name = "a_very_long_name_of_a_file_that_a_camera_or_a_program_has_made_20240501_123456.jpg"
    image = upload(member)
    Image.objects.filter(pk=image.pk).update(title="", original_name=name)
    site.expected_errors = ["400", "503"]
    site.enter(member)
    page = opened(site, image)
    expect(page).to_have_title("a_very_long_name_of_a_file_…1_123456.jpg · Clipsite")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(name)
    page.set_viewport_size({"width": 390, "height": 844})
    box, end = heading.bounding_box(), page.locator(".viewer-name .end").bounding_box()
    assert box is not None
    assert end is not None
    assert box["height"] < 40
    assert end["x"] + end["width"] <= 390


def test_others_see_nothing_that_is_private(site: Site, pictures: list[Image]) -> None:
    image = pictures[0]
    secrets = ["secret-place.jpg", "12.345678", "my-own-word", "My album", image.sha256]
    Image.objects.filter(pk=image.pk).update(
        visibility="public",
        original_name=secrets[0],
        latitude=12.345678,
        longitude=1.5,
        captured_at=datetime(2024, 5, 1, tzinfo=UTC),
    )
    Tag.objects.create(owner=image.owner, name=secrets[2]).images.add(image)
    album = Album.objects.create(owner=image.owner, title=secrets[3])
    AlbumItem.objects.create(album=album, image=image, position=1)
    page = opened(site, image)
    assert all(secret in page.content() for secret in secrets)

    bob = User.objects.create_user("bob", "bob@example.org", PASSWORD)
    site.sign_out()
    site.enter(bob)
    opened(site, image)
    content = page.content()
    assert [secret for secret in secrets if secret in content] == []
    for control in ("[data-archive]", "[data-delete]", "[data-add-to-album]", "[data-share]"):
        expect(page.locator(control)).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    expect(page.get_by_label("Add a tag")).to_have_count(0)
    # Favourites belong to each user.
    page.keyboard.press("l")
    expect(page.locator("[data-favourite]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("visibility", ["unlisted", "public"])
def test_the_address_is_copied_where_it_opens_for_others(
    site: Site, member: User, visibility: str
) -> None:
    site.expected_errors = ["400", "503"]
    image = upload(member, visibility=visibility)
    site.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    site.enter(member)
    page = site.open(f"/images/{image.pk}/")
    chosen(page, "Copy link")
    expect(page.locator("#toasts")).to_contain_text("Link copied.")


def test_the_address_of_a_private_picture_is_not_offered(site: Site, member: User) -> None:
    site.expected_errors = ["400", "503"]
    image = upload(member)
    site.enter(member)
    page = site.open(f"/images/{image.pk}/")
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator("#viewer-more").get_by_role("button", name="Full screen")).to_be_visible()
    expect(page.get_by_role("button", name="Copy link")).to_have_count(0)
