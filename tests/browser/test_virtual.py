"""A long list in a bounded document: everything once, and back where one was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from gallery.models import Image, User
from tests.browser.conftest import Site
from tests.browser.many import NEWEST, in_a_row, many
from tests.conftest import draw, upload, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT = 300
# Three screens of 1280 x 800 hold about sixty.
MOST_TILES = 130

SHOWN = """() => [...document.querySelectorAll("[data-grid] > li.tile:not(.waiting)")]
    .map((tile) => tile.dataset.id)"""
SEEN_FIRST = """() => {
    const tile = [...document.querySelectorAll("[data-grid] > li.tile:not(.waiting)")]
        .find((tile) => tile.getBoundingClientRect().bottom > 70);
    return tile ? [tile.dataset.id, tile.getBoundingClientRect().top] : [];
}"""
# Such a one is clicked without scrolling.
WHOLLY_SEEN = """() => [...document.querySelectorAll("[data-grid] > li.tile:not(.waiting)")]
    .find((tile) => {
        const box = tile.getBoundingClientRect();
        return box.top > 80 && box.bottom < innerHeight;
    }).dataset.id"""
FOCUSED = "() => document.activeElement.closest('li.tile')?.dataset.id"
SETTLED = """() => {
    const seen = [...document.querySelectorAll("[data-grid] > li.tile")].filter((tile) => {
        const box = tile.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    });
    return seen.length && seen.every((tile) => !tile.classList.contains("waiting"));
}"""
RING = "() => getComputedStyle(document.activeElement.closest('li.tile')).outlineStyle"
ALL_HERE = "() => !document.querySelector('[data-grid] > li.tile.waiting')"


@pytest.fixture
def ids(site: Site, member: User) -> list[str]:
    """Of 300 pictures, as the list of the latest uploads has them; signed in."""
    images = many(member, in_a_row(COUNT))
    site.enter(member)
    site.open("/recent/")
    return [str(image.pk) for image in images]


def scroll(page: Page, y: int) -> None:
    """By `y` pixels, and until that has been drawn."""
    page.evaluate(
        """async (y) => {
            window.scrollBy({top: y, behavior: "instant"});
            for (let frame = 0; frame < 2; frame += 1) {
                await new Promise((drawn) => requestAnimationFrame(drawn));
            }
        }""",
        y,
    )


def scroll_through(page: Page, step: int, last: str) -> tuple[list[str], int]:
    """The ids in the order in which they came into the document until the last one
    was there, and the most tiles that it held."""
    seen: dict[str, None] = {}
    most = 0
    for _ in range(1000):
        page.wait_for_function(ALL_HERE)
        shown = page.evaluate(SHOWN)
        most = max(most, len(shown))
        seen |= dict.fromkeys(shown)
        if last in seen:
            break
        scroll(page, step)
    return list(seen), most


def deep(page: Page, pictures: int = 200) -> None:
    """Scroll until so many have gone by."""
    last = f"li.tile[aria-posinset='{pictures}']"
    wait_for(lambda: scroll(page, 800) or page.locator(last).count(), what=last)
    page.wait_for_function(SETTLED)


def test_everything_is_there_once_and_the_document_stays_small(site: Site, ids: list[str]) -> None:
    page = site.page
    down, most = scroll_through(page, 1200, ids[-1])
    assert down == ids
    assert most <= MOST_TILES
    expect(page.locator(".more")).to_have_count(0)
    # Up again, from what is known.
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function(SETTLED)
    up, most = scroll_through(page, -1200, ids[0])
    assert sorted(up) == sorted(ids)
    assert most <= MOST_TILES


def test_tiles_in_the_document_are_a_run_of_the_list(site: Site, ids: list[str]) -> None:
    deep(site.page)
    shown = site.page.evaluate(SHOWN)
    start = ids.index(shown[0])
    assert start > 100  # the first ones are gone
    assert shown == ids[start : start + len(shown)]
    position = site.page.locator("li.tile").first.get_attribute("aria-posinset")
    assert position == str(start + 1)


def sees_first(page: Page, before: list[Any]) -> None:
    """The same picture at the same height, but for what rounding takes."""

    def same() -> bool:
        pk, top = page.evaluate(SEEN_FIRST) or (None, 0)
        return pk == before[0] and abs(top - before[1]) <= 2

    wait_for(same, what=f"first seen is {before}")
    page.wait_for_function(SETTLED)


def open_one(page: Page) -> None:
    """The page of a picture that is seen, and its scripts listen."""
    pk = page.evaluate(WHOLLY_SEEN)
    page.locator(f"[data-id='{pk}'] a").click()
    page.wait_for_url(f"**/images/{pk}/")
    page.wait_for_load_state()


def go_right_to(page: Page, pk: str) -> None:
    """By one picture; the next part may still be on its way."""
    wait_for(lambda: page.keyboard.press("ArrowRight") or page.evaluate(FOCUSED) == pk)


def test_the_keyboard_walks_over_the_edges_of_parts(site: Site, ids: list[str]) -> None:
    page = site.page
    for pk in ids[:70]:
        go_right_to(page, pk)
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    below = ids.index(page.evaluate(FOCUSED))
    assert below > 69
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    assert ids.index(page.evaluate(FOCUSED)) < below
    expect(page.locator("a[data-tile]:focus")).to_be_in_viewport()


def test_the_focus_is_kept_while_the_page_scrolls_away(site: Site, ids: list[str]) -> None:
    page = site.page
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    deep(page, 100)
    assert page.evaluate(FOCUSED) == ids[2]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == ids[3]
    expect(page.locator("a[data-tile]:focus")).to_be_in_viewport()


# The timeline comes in parts of a month, of which the page knows the number of pictures.
BOTH = pytest.mark.parametrize("path", ["/recent/", "/"], ids=["list", "timeline"])


@BOTH
@pytest.mark.parametrize("way", ["back", "escape", "reload"])
def test_back_from_a_picture_is_the_same_place(
    site: Site, ids: list[str], way: str, path: str
) -> None:
    page = site.open(path)
    deep(page)
    before = page.evaluate(SEEN_FIRST)
    height = page.evaluate("() => document.body.scrollHeight")
    if way == "reload":
        page.reload()
    else:
        open_one(page)
        if way == "back":
            page.go_back()
        else:
            page.keyboard.press("Escape")
        expect(page.locator("#stage")).to_have_count(0)
    sees_first(page, before)
    assert page.evaluate("() => document.body.scrollHeight") == height
    # And on from there, to the end.
    shown, _ = scroll_through(page, 1200, ids[-1])
    assert shown == ids[ids.index(shown[0]) :]


@BOTH
def test_the_picture_seen_last_is_in_view_after_the_viewer(
    site: Site, ids: list[str], path: str
) -> None:
    """Also when its part was not loaded before."""
    page = site.open(path)
    deep(page, 140)
    pk = page.evaluate(WHOLLY_SEEN)
    open_one(page)
    last = ids[ids.index(pk) + 30]
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/images/{last}/")
    page.keyboard.press("Escape")
    expect(page.locator("#stage")).to_have_count(0)
    wait_for(lambda: page.evaluate(FOCUSED) == last, what="the last picture has the focus")
    expect(page.locator(f"[data-id='{last}']")).to_be_in_viewport(ratio=1)
    assert page.evaluate(RING) != "none"


def test_a_mouse_that_closes_the_viewer_sees_no_ring(site: Site, ids: list[str]) -> None:
    page = site.page
    page.locator(f"[data-id='{ids[1]}'] a").click()
    page.wait_for_url(f"**/images/{ids[1]}/")
    page.wait_for_load_state()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#stage")).to_have_count(0)
    wait_for(lambda: page.evaluate(FOCUSED) == ids[1], what="the picture has the focus")
    assert page.evaluate(RING) == "none"


# A range over the upper edge of the window is chosen, as after scrolling on while selecting.
CHOOSE = """([first, last]) => {
    document.querySelector(`[data-id="${first}"] [data-check]`).click();
    document.querySelector(`[data-id="${last}"] a`)
        .dispatchEvent(new MouseEvent("click", {shiftKey: true, bubbles: true, cancelable: true}));
}"""


@BOTH
def test_what_follows_the_deleted_pictures_takes_their_place(
    site: Site, ids: list[str], path: str
) -> None:
    page = site.open(path)
    deep(page, 120)
    first = ids.index(page.evaluate(WHOLLY_SEEN))
    chosen = ids[first - 10 : first + 10]
    page.evaluate(CHOOSE, [chosen[0], chosen[-1]])
    page.keyboard.press("Delete")
    following = page.locator(f"[data-id='{ids[first + 10]}']")
    expect(page.get_by_text("20 pictures moved to the trash.")).to_be_visible()
    expect(following.locator("a")).to_be_focused()
    box = following.bounding_box()
    assert box
    assert 60 <= box["y"] <= 200, "it is in the first whole row"
    # The server counts the parts of a month anew: none is skipped, none comes twice.
    page.evaluate("document.activeElement.blur()")
    below, _ = scroll_through(page, 1200, ids[-1])
    assert below[below.index(ids[first + 10]) :] == ids[first + 10 :]
    page.keyboard.press("Control+z")
    again = page.locator(f"[data-id='{chosen[0]}']")
    expect(again.locator("a")).to_be_focused()
    expect(again).to_be_in_viewport(ratio=1)
    page.evaluate("document.activeElement.blur()")
    scroll(page, -100_000)
    shown, _ = scroll_through(page, 1200, ids[-1])
    assert shown == ids


@BOTH
def test_a_reload_after_others_were_added_neither_repeats_nor_skips(
    site: Site, ids: list[str], member: User, path: str
) -> None:
    page = site.open(path)
    deep(page)
    before = page.evaluate(SEEN_FIRST)
    fresh = [upload(member, draw(60 + n, 40), title=f"New {n}") for n in range(70)]
    Image.objects.filter(pk__in=[image.pk for image in fresh]).update(
        created_at=NEWEST + timedelta(days=1)
    )
    page.reload()
    # In another place of its row, perhaps, but as high as before.
    tile = page.locator(f"[data-id='{before[0]}']")
    wait_for(lambda: tile.count() and abs((tile.bounding_box() or {})["y"] - before[1]) <= 2)
    scroll(page, -100_000)
    seen, _ = scroll_through(page, 1200, ids[-1])
    assert seen[len(fresh) :] == ids
    assert len(set(seen)) == COUNT + len(fresh)


def test_the_width_changes_without_losing_the_place(site: Site, ids: list[str]) -> None:
    page = site.page
    deep(page)
    before = page.evaluate(SEEN_FIRST)[0]
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(SETTLED)
    row = page.evaluate(SHOWN)
    assert abs(ids.index(page.evaluate(SEEN_FIRST)[0]) - ids.index(before)) <= 4
    assert before in row
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_pictures_left_behind_are_not_waited_for(site: Site, ids: list[str]) -> None:
    page = site.page
    given_up: list[Request] = []
    page.on("requestfailed", lambda request: given_up.append(request))
    page.route("**/thumbnails/**", lambda route: None)  # never answered
    page.reload()
    page.wait_for_function(SETTLED)
    deep(page, 61)
    assert any("/thumbnails/" in request.url for request in given_up)
    page.unroute_all(behavior="ignoreErrors")


def test_other_scripts_hear_what_comes_and_say_what_goes(site: Site, ids: list[str]) -> None:
    page = site.page
    page.evaluate("""() => {
        window.heard = [];
        document.addEventListener("grid:rendered", ({detail}) => {
            heard.push(...detail.tiles.map((tile) => tile.dataset.id));
        });
    }""")
    deep(page, 100)
    page.evaluate("() => window.scrollTo(0, 0)")
    page.wait_for_function(SETTLED)
    heard = page.evaluate("() => heard")
    assert heard.count(ids[0]) == 1  # it came back
    assert page.locator("li.tile[data-owned]").count() == page.locator("li.tile").count()

    page.evaluate(
        """(ids) => document.querySelector("[data-grid]").dispatchEvent(
            new CustomEvent("grid:removed", {detail: {ids}, bubbles: true}))""",
        ids[1:4],
    )
    assert page.evaluate(SHOWN)[:2] == [ids[0], ids[4]]


def test_a_part_that_does_not_come_back_is_said_and_asked_for_again(
    site: Site, ids: list[str]
) -> None:
    site.expected_errors = ["ERR_FAILED"]
    page = site.page
    deep(page)
    page.reload()  # parts before and behind are forgotten
    page.wait_for_function("() => scrollY > 2000")
    page.wait_for_function(SETTLED)
    page.route("**/recent/?after=*", lambda route: route.abort())
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight * 0.3)")
    expect(page.get_by_text("The server does not answer").first).to_be_visible()
    page.unroute_all(behavior="wait")
    scroll(page, -300)
    page.wait_for_function(SETTLED)
