"""The composer: suggestions, the parts of a query, refinement, and what the results say. The
vectors are made up. The words are "red" and "green"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from gallery.models import Image, User
from gallery.organising import tags
from gallery.search import folding
from gallery.search.relevance import relevance
from gallery.search.relevance.relevance import Fit, Judgement
from gallery.web.searching import search
from tests.browser.conftest import Site, hand_over
from tests.browser.holding import Held
from tests.browser.test_looks import TOO_SMALL, UNNAMED, overflow
from tests.conftest import draw, upload, wait_for
from tests.factories import set_vector
from tests.web_tools import fake_encoder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT = 14

Point = tuple[float, float]


@dataclass(frozen=True)
class Lined(Judgement):
    """A judgement by the score alone: `Picture 6` is the first below the relevance line."""

    line: float | None = 0.86

    def fit(self, score: float) -> Fit | None:
        return "good" if score >= (self.line or 0) else "weak"

    def settled(self, best: float, among: int | None = None) -> Judgement:
        return self


@pytest.fixture
def images(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """Pictures from red to green, the reddest first, in pages of six. The user is signed in."""
    monkeypatch.setattr(search, "PAGE", 6)
    monkeypatch.setattr(relevance, "judge", lambda *_, **__: Lined())
    space = fake_encoder(monkeypatch)
    found = []
    for number in range(COUNT):
        image = upload(
            member, draw(400, 300, (240 - number * 8, 80, 60)), title=f"Picture {number}"
        )
        set_vector(image, space, (1.0, number / 10, 0.0))
        found.append(image)
    site.enter(member)
    return found


def open_search(site: Site, line: str) -> Page:
    page = site.open(f"/search/?q={line}")
    expect(page.locator("#composer [data-add-query-picture]")).to_be_visible()  # the scripts listen
    return page


def bar(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search pictures")


def line_of(address: str) -> str:
    return parse_qs(urlsplit(address).query).get("q", [""])[0]


def expect_line(page: Page, line: str) -> None:
    """Check that the address has the whole line, and the field the part that can be typed."""
    page.wait_for_url(lambda address: line_of(address) == line)
    expect(bar(page)).to_have_value(re.sub(r"-?(like|upload):\S+ ?", "", line).strip())


def test_suggestions_by_keyboard_and_by_pointer(site: Site, images: list[Image]) -> None:
    tags.set_tags(images[3], ["seaside", "sea and sun"])
    page = open_search(site, "red")
    field = bar(page)
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    field.press("End")
    field.press_sequentially(" ta")
    expect(options).to_have_text(["tag:one of your tags"])
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("Enter")  # takes the suggestion, and sends nothing
    expect(field).to_have_value("red tag:")
    expect(options).to_have_count(2)
    field.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    field.press_sequentially("sea")
    options.get_by_text('"sea and sun"').click()
    expect(field).to_have_value('red tag:"sea and sun" ')
    field.press("Enter")
    expect(page.locator("[data-tile] img")).to_have_attribute("alt", "Picture 3")
    expect(page.locator(".chip")).to_contain_text(["#sea and sun"])
    page.locator(".chip").first.click()
    expect_line(page, "red")


def test_escape_closes_the_suggestions_then_leaves_the_line_as_typed(
    site: Site, images: list[Image]
) -> None:
    page = open_search(site, "red")
    field = bar(page)
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    page.keyboard.press("/")
    page.keyboard.press("End")
    page.keyboard.type(" ta")
    expect(options).to_have_text(["tag:one of your tags"])
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.press("Escape")  # a browser without scripts would empty the field now
    expect(field).not_to_be_focused()
    expect(field).to_have_value("red ta")


def test_colours_show_themselves_and_the_card_tries_examples(
    site: Site, images: list[Image]
) -> None:
    page = open_search(site, "red")
    bar(page).fill("color:gre")
    expect(page.locator(".completion .swatch").first).to_be_visible()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 768, "height": 800})
    page.get_by_role("search").get_by_role("link", name="What can I type?").click()
    card = page.get_by_role("dialog", name="What can I type?")
    card.get_by_role("link", name="orientation:portrait").click()
    expect_line(page, "orientation:portrait")
    expect(page.get_by_text("No picture fits these filters")).to_be_visible()


def test_parts_are_added_changed_and_taken_away(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    page.get_by_label("Add words to the search").fill("green")
    page.get_by_label("Add words to the search").press("Enter")
    expect_line(page, 'red "green"')
    expect(page.locator("[data-tile] img").first).to_have_attribute("alt", f"Picture {10}")
    page.get_by_label("Unlike green").check()
    expect_line(page, "red -green")
    expect(page.get_by_label("Unlike green")).to_be_focused()
    expect(page.locator("[data-tile] img").first).to_have_attribute("alt", "Picture 0")
    page.get_by_role("slider", name="How much green counts").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect_line(page, "red -green^0.8")
    page.get_by_label("Words").nth(1).fill("red")
    page.get_by_label("Words").nth(1).press("Enter")
    expect_line(page, "red -red^0.8")
    page.go_back()
    expect_line(page, "red -green^0.8")
    page.get_by_role("button", name="Remove green").click()
    expect_line(page, "red")


def test_a_part_of_a_picture_is_drawn_by_pointer_and_by_keys(
    site: Site, images: list[Image]
) -> None:
    page = open_search(site, f"like:{images[2].pk}")
    page.get_by_role("button", name="Take a part of Picture 2").click()
    dialog = page.get_by_role("dialog", name="Which part of the picture?")
    whole = dialog.locator("img")
    expect(whole).to_have_js_property("complete", True)
    box = whole.bounding_box()
    assert box is not None
    at = lambda x, y: (box["x"] + box["width"] * x, box["y"] + box["height"] * y)  # noqa: E731
    page.mouse.move(*at(0.1, 0.9))  # outside of the existing rectangle
    page.mouse.down()
    page.mouse.move(*at(0.3, 0.7))
    page.mouse.move(*at(0.6, 0.5))
    page.mouse.up()
    numbers = [
        dialog.get_by_role("spinbutton", name=name) for name in ("Left", "Top", "Width", "Height")
    ]
    for number, value in zip(numbers, ("10", "50", "50", "40"), strict=True):
        expect(number).to_have_value(value)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    dialog.get_by_role("spinbutton", name="Top").fill("30")
    dialog.get_by_role("button", name="Search by this part").click()
    expect_line(page, f"like:{images[2].pk}[11,30,50,39]")
    expect(page.locator(".part-box")).to_be_visible()
    # The picture's own page offers this, too.
    site.open(f"/images/{images[2].pk}/")
    page.get_by_role("button", name="By a part of it").click()
    page.keyboard.press("Enter")
    expect_line(page, f"like:{images[2].pk}[20,20,60,60]")


def drag_mouse(page: Page, box: FloatRect, start: Point, end: Point) -> None:
    """Drag from one point of `box` to another. Both are shares of its sides."""
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def test_nothing_moves_when_the_picture_of_a_part_arrives(site: Site, images: list[Image]) -> None:
    """Once the button beside it moved away from under the pointer."""
    page = site.page
    held = Held(page, re.compile(f"/thumbnails/[^/]+/{images[2].pk}/"))
    page.goto(f"{site.url}/search/?q=like:{images[2].pk}", wait_until="commit")
    button = page.get_by_role("button", name="Take a part of Picture 2")
    held.wait()
    expect(button).to_be_visible()
    before = button.bounding_box()
    held.release()
    expect(page.locator(".part-picture img")).to_have_js_property("naturalWidth", 320)
    assert button.bounding_box() == before


def test_the_first_drag_draws_wherever_it_begins(site: Site, images: list[Image]) -> None:
    """Once the drag moved the frame of an earlier part instead."""
    page = open_search(site, f"like:{images[2].pk}")
    dialog = page.get_by_role("dialog", name="Which part of the picture?")

    def opened() -> FloatRect:
        page.get_by_role("button", name="Take a part of Picture 2").click()
        expect(dialog.locator("img")).to_have_js_property("complete", True)
        box = dialog.locator("img").bounding_box()
        assert box is not None
        return box

    def expect_numbers(*values: int) -> None:
        for name, value in zip(("Left", "Top", "Width", "Height"), values, strict=True):
            expect(dialog.get_by_role("spinbutton", name=name)).to_have_value(str(value))

    box = opened()
    for begin in ((0.4, 0.4), (0.2, 0.2)):  # in the proposed frame; on its corner
        drag_mouse(page, box, begin, (0.7, 0.9))
        left, top = (round(side * 100) for side in begin)
        expect_numbers(left, top, 70 - left, 90 - top)
        page.keyboard.press("Escape")
        box = opened()
    # A click that slips a little is no drag.
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2)
    page.mouse.up()
    expect_numbers(20, 20, 60, 60)
    # After an adjustment by keys the frame is the user's own: a drag inside moves it.
    page.keyboard.press("ArrowRight")
    expect_numbers(21, 20, 60, 60)
    drag_mouse(page, box, (0.5, 0.5), (0.4, 0.4))
    expect_numbers(11, 10, 60, 60)
    # The same holds for a frame from an earlier drag, and its corner resizes it.
    page.keyboard.press("Enter")
    expect_line(page, f"like:{images[2].pk}[11,10,60,60]")
    box = opened()
    drag_mouse(page, box, (0.5, 0.5), (0.6, 0.6))
    expect_numbers(21, 20, 60, 60)
    drag_mouse(page, box, (0.81, 0.8), (0.71, 0.6))
    expect_numbers(21, 20, 50, 40)


def test_results_refine_the_query_and_one_step_undoes_it(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    page.locator("[data-tile]").nth(3).hover()
    page.get_by_role("button", name="More like Picture 3").click()
    part = page.locator("[data-part]").nth(1)
    expect(part.locator("img")).to_have_attribute("alt", "Picture 3")
    expect(part).to_have_class("part image fresh")
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect_line(page, "red")
    page.locator("[data-tile]").nth(1).focus()
    page.keyboard.press("-")
    expect(page.get_by_label("Unlike Picture 1")).to_be_checked()
    page.go_back()
    expect_line(page, "red")


def test_fingers_refine_by_the_menu_of_a_selection(
    site: Site, images: list[Image], browser: object
) -> None:
    """Nothing stands on the pictures of a phone, and little above them."""
    state = site.page.context.storage_state()
    context = browser.new_context(  # type: ignore[attr-defined]
        storage_state=state, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.goto(f"{site.url}/search/?q=red")
    first = page.locator("[data-tile]").first
    box = first.bounding_box()
    assert box
    assert box["y"] < 220
    expect(page.locator(".tile-tools").first).to_be_hidden()
    expect(page.locator("#composer")).to_be_hidden()
    expect(page.get_by_role("button", name="Add a picture")).to_be_visible()

    page.get_by_role("button", name="Select", exact=True).tap()
    tile = page.locator("li.tile", has=page.get_by_alt_text("Picture 1", exact=True))
    tile.get_by_role("checkbox").tap()
    page.locator("#bulk-bar").get_by_role("button", name="More", exact=True).tap()
    page.locator("#bulk-more").get_by_role("button", name="Less like this").tap()
    expect(page.locator("[data-part]")).to_have_count(2)
    expect(page.get_by_label("Unlike Picture 1")).to_be_checked()

    # And no menu offers keys.
    page.goto(f"{site.url}/images/{images[0].pk}/")
    page.get_by_role("button", name="More", exact=True).tap()
    menu = page.locator("#viewer-more")
    expect(menu.get_by_role("button", name="Slideshow")).to_be_visible()
    expect(menu.locator("[data-show-keys]")).to_be_hidden()
    page.goto("about:blank")
    context.close()


def test_a_picture_joins_the_search_or_begins_a_new_one(
    site: Site, images: list[Image], photos: dict[str, Path]
) -> None:
    page = open_search(site, "green")
    adding = page.get_by_text("Drop here to add it to the search")
    drag(page, photos["coffee"], "dragEnter", "dragOver")
    expect(adding).to_be_visible()
    drag(page, photos["coffee"], "dragOver", "dragOver", onto=adding)
    expect(adding).to_contain_class("aimed")
    drag(page, photos["coffee"], "drop", onto=adding)
    parts = page.locator("[data-part]")
    expect(parts).to_have_count(2)
    assert line_of(page.url).startswith("green upload:")
    parts.nth(1).get_by_role("button", name="Remove").click()
    expect_line(page, "green")
    hand_over(page, "paste", photos["coffee"])
    asked = page.get_by_role("dialog", name="What about this picture?")
    asked.get_by_role("button", name="Add to the search").click()
    expect(parts).to_have_count(2)
    expect(parts.nth(1).locator("img[data-query-preview]")).to_have_js_property("naturalWidth", 600)
    assert line_of(page.url).startswith("green upload:")
    hand_over(page, "paste", photos["coffee"])
    page.get_by_role("button", name="Search by this").click()
    expect(page.get_by_role("heading", name="Pictures like yours")).to_be_visible()
    expect(parts).to_have_count(1)


def test_a_file_that_is_no_picture_leaves_the_search_as_it_is(
    site: Site, images: list[Image], photos: dict[str, Path], tmp_path: Path
) -> None:
    text, damaged = tmp_path / "list.txt", tmp_path / "damaged.jpg"
    text.write_text("no picture")
    damaged.write_bytes(photos["coffee"].read_bytes()[:300])
    page = open_search(site, 'green -red "red"^0.5')
    line = line_of(page.url)
    parts = page.locator("[data-part]")
    # The page refuses most of them, chosen or dropped.
    for _ in range(2):  # the same file again is a choice again
        add_picture(page, text)
        refusal = page.locator(".toast", has_text="That is not a picture.")
        expect(refusal).to_have_count(1)
        expect(page.locator("#query-busy")).to_be_hidden()
        refusal.get_by_role("button", name="Close").click()
    assert line_of(page.url) == line
    expect(page.locator("[data-tile]").first).to_be_visible()
    # Only the server refuses the others.
    site.expected_errors.append("400 (Bad Request)")
    add_picture(page, damaged)
    expect(page.get_by_role("alert")).to_contain_text("damaged or incomplete")
    expect(bar(page)).to_have_value(line)
    expect(parts).to_have_count(3)
    # The search continues from there.
    add_picture(page, photos["coffee"])
    expect(parts).to_have_count(4)
    assert "upload:" in line_of(page.url)


def add_picture(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Add a picture").click()
    choosing.value.set_files(path)


def drag(page: Page, path: Path, *kinds: str, onto: Locator | None = None) -> None:
    """Drag a file from outside the browser over `onto`, or over the middle of the page. The browser
    itself finds the target and sends the events."""
    box = onto.bounding_box() if onto else {"x": 0, "y": 0, "width": 1280, "height": 800}
    assert box is not None
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in kinds:
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})
    session.detach()


def unfold(page: Page) -> None:
    page.get_by_role("button", name="Show weaker matches").click()


def test_weak_matches_are_behind_a_button(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    button = page.get_by_role("button", name="Show weaker matches")
    expect(button).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="match")).to_have_text("6 matches")
    expect(page.locator("[data-tile]")).to_have_count(6)
    # “All” are those that are shown.
    page.keyboard.press("Control+a")
    expect(page.locator("#bulk-bar [data-count]")).to_have_text("6 selected")
    page.keyboard.press("Escape")
    # The viewer goes through those alone, too.
    page.locator("[data-tile]").nth(5).click()
    expect(page.get_by_role("heading", name="Picture 5")).to_be_visible()
    expect(page.locator("[data-next]")).to_be_hidden()
    page.go_back()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-grid] > .divider h2")).to_have_text("Weak matches")
    expect(page.locator("[data-tile]").nth(6)).to_be_focused()
    expect(button).to_have_count(0)
    page.keyboard.press("Control+a")
    expect(page.locator("#bulk-bar [data-count]")).to_have_text(f"{COUNT} selected")


def test_a_return_shows_weak_matches_again(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    unfold(page)
    page.locator("[data-tile]").nth(7).click()
    expect(page.get_by_role("heading", name="Picture 7")).to_be_visible()
    page.goto("about:blank")  # so that the browser has no copy of the page
    page.go_back()
    page.go_back()
    expect(page.locator("[data-tile]").nth(7)).to_be_visible()
    expect(page.locator("[data-grid] > .divider h2")).to_have_text("Weak matches")
    expect(page.get_by_role("button", name="Show weaker matches")).to_have_count(0)
    expect(page.locator("[data-tile]")).to_have_count(COUNT)


def test_how_well_a_picture_matches_is_seen_on_demand(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    page.emulate_media(reduced_motion="reduce")
    score = page.locator("li.tile .score").nth(2)
    expect(score).to_have_css("opacity", "0")
    link = page.get_by_role("link", name=re.compile("^Picture 2 .*Match: ?Good$"))
    expect(link).to_have_count(1)
    page.locator("[data-tile]").nth(2).hover()
    expect(score).to_have_css("opacity", "1")
    page.mouse.move(0, 0)
    page.locator("[data-tile]").nth(2).focus()
    expect(score).to_have_css("opacity", "1")


def test_how_results_were_found_is_behind_a_question_mark(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    note = page.get_by_role("note", name="How these were found")
    expect(note).to_be_hidden()
    page.get_by_role("button", name="How these were found").click()
    expect(note).to_contain_text("Every picture was compared")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()


def test_recent_searches_show_their_pictures(site: Site, images: list[Image]) -> None:
    page = open_search(site, f"red like:{images[2].pk}")
    assert page.title() == "red + 1 picture · Clipsite"
    page = site.open("/timeline/")
    bar(page).focus()
    option = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(option).to_have_text("red + 1 picture")
    expect(option.locator("img")).to_have_js_property("complete", True)


def test_weak_matches_stand_below_a_divider_far_down(site: Site, images: list[Image]) -> None:
    page = open_search(site, "red")
    unfold(page)
    page.set_viewport_size({"width": 700, "height": 500})

    def at_the_end() -> bool:
        page.mouse.wheel(0, 900)
        return page.locator(".more").count() == 0

    wait_for(at_the_end, what="all pages of results are there")
    divider = page.locator("[data-grid] > .divider:visible")
    expect(divider).to_have_count(1)
    expect(divider).to_contain_text("Weak matches")
    # It is below all matches and above all others, and no row contains both.
    line = divider.bounding_box()
    assert line is not None
    for number in range(4, 9):
        tile = page.locator(
            "li.tile", has=page.get_by_role("img", name=f"Picture {number}", exact=True)
        )
        box = tile.bounding_box()
        assert box is not None
        assert (box["y"] > line["y"]) == (number >= 6), number


def test_weak_matches_of_a_picture_stand_below_a_divider_too(
    site: Site, images: list[Image]
) -> None:
    """Once the page lacked the heading of a section, and the grid stopped drawing."""
    page = site.open(f"/images/{images[0].pk}/")
    expect(page.locator("[data-grid] [data-tile]").first).to_be_visible()
    divider = page.locator("[data-grid] > .divider:visible")
    last = page.get_by_role("img", name=f"Picture {COUNT - 1}", exact=True)

    def at_the_end() -> bool:
        page.mouse.wheel(0, 900)
        return last.is_visible() and divider.count() == 1

    wait_for(at_the_end, what="the grid is drawn to its end")
    expect(divider).to_contain_text("Weak matches")
    # It has its own space between the last match and the first other tile.
    line = divider.bounding_box()
    weak = page.locator("li.tile[data-section=weak]").first.bounding_box()
    fair = page.locator("li.tile:not([data-section])").last.bounding_box()
    assert line is not None
    assert weak is not None
    assert fair is not None
    assert fair["y"] + fair["height"] <= line["y"]
    assert line["y"] + line["height"] <= weak["y"]


def test_the_focus_stays_while_weak_matches_arrive(site: Site, images: list[Image]) -> None:
    """Once the divider, which arrives with the page, moved the pictures above it."""
    held = Held(site.page, re.compile(r"/search/\?c=.*unfold"))
    page = open_search(site, "red")
    first = page.locator("[data-tile]").first
    unfold(page)
    held.wait()
    first.focus()
    held.release()
    expect(page.locator("[data-grid] > .divider")).to_be_visible()
    expect(page.locator("[data-grid] > .divider")).to_have_count(1)
    expect(first).to_be_focused()


def test_near_duplicates_open_in_place(
    site: Site, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    folded = {images[2].pk: images[1].pk, images[3].pk: images[1].pk}
    monkeypatch.setattr(
        folding, "fold", lambda ids: {pk: first for pk, first in folded.items() if pk in ids}
    )
    page = open_search(site, "red")
    names = page.locator("[data-tile] img")
    button = page.get_by_role("button", name="+2 similar")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(button).to_be_focused()
    seen = names.evaluate_all("images => images.slice(0, 5).map(({alt}) => alt)")
    assert seen == [f"Picture {number}" for number in range(5)]
    # They are pictures like all others: arrow keys reach them, and they can be selected.
    page.locator("[data-tile]").nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.locator("#bulk-bar [data-count]")).to_have_text("1 selected")
    expect(page.locator("li.tile.selected img")).to_have_attribute("alt", "Picture 2")
    page.keyboard.press("Escape")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "false")
    seen = names.evaluate_all("images => images.slice(0, 3).map(({alt}) => alt)")
    assert seen == ["Picture 0", "Picture 1", "Picture 4"]


def test_the_page_fits_and_everything_has_a_name(site: Site, images: list[Image]) -> None:
    site.page.set_viewport_size({"width": 768, "height": 800})
    line = f"red -green^0.5 -like:{images[0].pk} like:{images[1].pk}[10,20,50,40] after:2020"
    page = open_search(site, line)
    check(page)
    page.set_viewport_size({"width": 320, "height": 800})
    check(page)
    page.get_by_role("button", name="Take a part of Picture 1").click()
    expect(page.get_by_role("dialog", name="Which part of the picture?")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 768, "height": 800})
    page.get_by_role("search").get_by_role("link", name="What can I type?").click()
    expect(page.get_by_role("dialog", name="What can I type?")).to_be_visible()
    check(page)


def check(page: Page) -> None:
    assert overflow(page) <= 0
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(TOO_SMALL) == []
