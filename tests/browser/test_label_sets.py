"""Label sets: sorting at once, keeping, preview, apply and undo; the rows of the form; saying yes
and no to the pictures of a category. With made-up vectors and jobs that the test runs itself, and
once with real workers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from gallery.indexing.spaces import require_active_space
from gallery.labels import applying
from gallery.labels.definition import Definition, newest
from gallery.library.samples import SAMPLES
from gallery.models import Answer, Category, Embedding, EmbeddingSpace, Image, LabelSet, User
from tests.api_tools import with_worker
from tests.browser.conftest import Site
from tests.browser.selecting import expect_said
from tests.conftest import draw, upload, wait_for
from tests.labels import tools

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    tools.fake_encoder(monkeypatch)
    return tools.word_space()


@pytest.fixture
def pictures(member: User, space: EmbeddingSpace) -> dict[str, Image]:
    """Two dogs, one of them doubtful, a cat and a bird."""
    made = {}
    for number, (name, shares) in enumerate(
        {
            "dog": {"dog": 1.0},
            "wolf": {"dog": 1.0, "cat": 0.8},
            "cat": {"cat": 1.0},
            "bird": {"bird": 1.0},
        }.items()
    ):
        image = upload(member, draw(300, 200, (number * 60, 90, 120)), title=name)
        tools.encode(image, space, **shares)
        made[name] = image
    return made


def heaps(page: Page) -> list[str]:
    """Return the names of the rows that the box has sorted, with their numbers."""
    expect(page.locator(".heap").first).to_be_visible()
    heads = page.locator(".heap-head").all_inner_texts()
    return [" ".join(head.split()) for head in heads]


def assert_small(page: Page, pictures: str, count: int) -> None:
    """Assert that pictures are thumbnails, and that the first two are beside each other."""
    found = page.locator(pictures)
    expect(found.nth(count - 1)).to_be_attached()
    boxes = found.evaluate_all(
        "(images) => images.map((image) => image.getBoundingClientRect().toJSON())"
    )
    assert [box for box in boxes if not 60 <= box["width"] <= 160] == []
    assert boxes[0]["top"] == boxes[1]["top"]
    assert boxes[0]["right"] < boxes[1]["left"]


def test_from_the_box_to_labels_and_back(
    site: Site, member: User, pictures: dict[str, Image]
) -> None:
    site.enter(member)
    page = site.open(reverse("label_sets"))
    box = page.get_by_label("Sort all pictures now")
    box.fill("dog, cat")
    assert heaps(page) == ["dog 2 pictures", "cat 1 picture", "none of these 1 picture"]
    expect(page).to_have_url(re.compile(r"categories=dog"))
    assert_small(page, "#sorted .heap img", 3)
    page.reload()
    assert heaps(page)[0] == "dog 2 pictures"
    page.get_by_text("Any of these", exact=True).click()
    expect(page.locator(".heap.none")).to_have_count(0)
    page.get_by_text("One of these", exact=True).first.click()
    expect(page.locator(".heap.none")).to_have_count(1)

    page.get_by_label("Name of the set").fill("Pets")
    page.get_by_role("button", name="Keep as a set").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pets")
    expect(page.get_by_text("Not applied yet")).to_be_visible()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#label-changes-title")).to_have_text("+3, −0")
    assert_small(page, ".label-changes img", 2)
    page.get_by_role("button", name="Apply this").click()
    expect(page.get_by_text("Being applied")).to_be_visible()
    applying.run_waiting()
    expect(page.get_by_text("Applied just now: +3, −0 labels")).to_be_visible()
    expect(page.locator(".label-cards li").first).to_contain_text("2 pictures")
    page.get_by_role("button", name="Undo the last apply").click()
    expect(page.get_by_text("Not applied yet")).to_be_visible()


def test_wrong_words_in_the_box_are_a_sentence(
    site: Site, member: User, pictures: dict[str, Image]
) -> None:
    site.expected_errors = ["400"]
    site.enter(member)
    page = site.open(reverse("label_sets"))
    box = page.get_by_label("Sort all pictures now")
    box.fill("-dog")
    box.press("Enter")
    expect(page.locator("#sorted [role=alert]")).to_contain_text("minus")
    box.fill("dog")
    box.press("Enter")
    assert heaps(page)[0] == "dog 2 pictures"


def test_a_file_that_is_refused_is_told_where_one_looks(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    site.expected_errors = ["400"]
    site.enter(member)
    page = site.open(reverse("label_sets"))
    bad = {"name": "set.csv", "mimeType": "text/csv", "buffer": b"dog\n"}
    page.get_by_label("JSON or CSV file").set_input_files([bad])
    page.get_by_role("button", name="Read the file").click()
    told = page.locator(".file-problem")
    expect(told).to_contain_text("names its columns")
    expect(told).to_be_in_viewport(ratio=1)
    expect(told).to_be_focused()
    expect(page).to_have_title(re.compile("^The file was not read"))


def test_a_deleted_set_is_brought_back_from_the_list(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    made = tools.make_set(member, "dog", "cat")
    site.enter(member)
    page = site.open(reverse("label_set", args=[made.pk]))
    page.get_by_role("button", name="Delete the set").click()
    expect_said(page, "Deleted sets")
    page.reload()
    page.locator("summary", has_text="Deleted sets").click()
    page.get_by_role("button", name="Restore Things").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Things")


def test_a_category_of_a_long_set_is_found_while_one_types(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    names = [f"thing {number}" for number in range(58)]
    made = tools.make_set(member, *names, "red truck", "green truck")
    site.enter(member)
    page = site.open(reverse("label_set", args=[made.pk]))
    cards = page.locator(".label-cards li")
    expect(cards).to_have_count(50)
    page.get_by_role("link", name="Show all 60 categories").click()
    expect(cards).to_have_count(60)
    field = page.get_by_role("searchbox", name="Find a category")
    field.fill("truck")
    expect(cards).to_have_count(2)
    expect(field).to_be_focused()
    expect(page).to_have_url(re.compile(r"named=truck"))
    page.get_by_role("link", name="Most pictures").click()
    expect(page).to_have_url(re.compile(r"by=count"))
    expect(cards).to_have_count(2)
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# --- The form ---------------------------------------------------------------------


def names(page: Page) -> list[str]:
    """Return the names of the rows that are filled."""
    values: list[str] = page.locator("#set-rows [name=category]").evaluate_all(
        "(fields) => fields.map((field) => field.value).filter(Boolean)"
    )
    return values


def handle(page: Page, place: int) -> Locator:
    return page.locator("#set-rows [data-handle]").nth(place)


def test_rows_are_typed_pasted_moved_and_removed(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    site.enter(member)
    page = site.open(reverse("label_set_create"))
    page.get_by_label("Name", exact=True).fill("Things")
    page.get_by_label("Category 1").fill("dog")
    page.get_by_label("Category 1").press("Enter")
    expect(page.get_by_label("Category 2")).to_be_focused()
    page.get_by_label("Category 2").evaluate(
        """(field) => {
            const data = new DataTransfer();
            data.setData("text/plain", "cat\\nbird\\nred\\ngreen");
            field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true,
                cancelable: true}));
        }"""
    )
    assert names(page) == ["dog", "cat", "bird", "red", "green"]
    handle(page, 4).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    assert names(page) == ["green", "dog", "cat", "bird", "red"]
    expect(page.locator("#set-live")).to_have_text("green is number 1 of 5.")
    handle(page, 0).drag_to(handle(page, 2))
    assert names(page)[0] == "dog"
    assert set(names(page)) == {"green", "dog", "cat", "bird", "red"}
    page.get_by_role("button", name="Remove this category").nth(0).click()
    assert "dog" not in names(page)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    assert names(page)[0] == "dog"
    kept = names(page)
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Things")
    definition = Definition.of(newest(LabelSet.objects.get()))
    assert [form.name for form in definition.categories] == kept


def test_equal_names_are_told_beside_the_row(
    site: Site, member: User, space: EmbeddingSpace
) -> None:
    site.expected_errors = ["400"]
    site.enter(member)
    page = site.open(reverse("label_set_create"))
    page.get_by_label("Name", exact=True).fill("Things")
    page.get_by_label("Category 1").fill("dog")
    page.get_by_label("Category 2").fill("ＤＯＧ")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator(".set-row").nth(1)).to_contain_text("are the same name")
    expect(page.get_by_label("Category 2")).to_have_attribute("aria-invalid", "true")
    assert names(page) == ["dog", "ＤＯＧ"]


# --- A category -------------------------------------------------------------------


@pytest.fixture
def dog(site: Site, member: User, space: EmbeddingSpace, pictures: dict[str, Image]) -> Category:
    """The category of an applied set. Its owner is signed in."""
    made = tools.make_set(member, "dog", "cat", none_of_these=True)
    tools.apply(made, member, space)
    site.enter(member)
    return Category.objects.get(label_set=made, name="dog")


def shown(page: Page) -> list[str]:
    titles: list[str] = page.locator("[data-tile] img").evaluate_all(
        "(images) => images.map((image) => image.alt)"
    )
    return titles


def test_yes_and_no_by_buttons_and_keys(site: Site, dog: Category) -> None:
    page = site.open(reverse("category", args=[dog.label_set_id, dog.pk]))
    expect(page.locator("[data-tile]")).to_have_count(2)
    assert shown(page) == ["dog", "wolf"]
    page.get_by_role("link", name="Least sure first").click()
    expect(page.locator("[data-tile] img").first).to_have_attribute("alt", "wolf")
    page.locator("[data-tile]").nth(1).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="It is: dog")).to_be_focused()
    page.locator("[data-tile]").nth(1).focus()
    page.keyboard.press("y")
    expect_said(page, "Noted: this is “dog”.")
    expect(page.locator(".tile.confirmed")).to_have_count(1)
    page.locator(".tile").first.hover()
    page.get_by_role("button", name="It is not: wolf").click()
    expect_said(page, "Noted: this is not “dog”.")
    expect(page.locator("[data-tile]")).to_have_count(1)
    assert set(Answer.objects.values_list("image__title", "verdict")) == {
        ("dog", True),
        ("wolf", False),
    }
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-tile]")).to_have_count(2)
    assert Answer.objects.count() == 1


def test_selected_pictures_are_answered_at_once(site: Site, dog: Category) -> None:
    page = site.open(reverse("category", args=[dog.label_set_id, dog.pk]))
    tiles = page.locator("[data-tile]")
    expect(tiles).to_have_count(2)
    tiles.first.focus()
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    bar = page.get_by_role("region", name="Selected pictures")
    page.route("**/answers/", lambda route: route.abort())
    site.expected_errors = ["ERR_FAILED"]
    bar.get_by_role("button", name="Yes").click()
    expect(page.locator(".toast")).to_have_count(1)
    expect(bar).to_contain_text("2 selected")  # what is not stored can be said again
    page.unroute("**/answers/")
    bar.get_by_role("button", name="Yes").click()
    expect_said(page, "Noted: 2 pictures are “dog”.")
    expect(page.locator(".tile.confirmed")).to_have_count(2)
    expect(bar).to_be_hidden()
    page.keyboard.press("ControlOrMeta+a")
    expect(bar).to_contain_text("2 selected")
    page.keyboard.press("n")
    expect_said(page, "Noted: 2 pictures are not “dog”.")
    expect(tiles).to_have_count(0)
    assert set(Answer.objects.values_list("verdict", flat=True)) == {False}
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(tiles).to_have_count(2)
    assert set(Answer.objects.values_list("verdict", flat=True)) == {True}


def test_the_contact_sheet_is_printed_with_all_its_pictures(site: Site, dog: Category) -> None:
    page = site.open(reverse("category_sheet", args=[dog.label_set_id, dog.pk]))
    page.evaluate("window.print = () => (window.printed = true)")
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("window.printed")
    expect(page.locator(".sheet li")).to_have_count(2)
    page.emulate_media(media="print")
    expect(page.locator(".header")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_text("wolf")).to_be_visible()


# --- With the real model ----------------------------------------------------------


@with_worker
def test_from_an_empty_account_to_sorted_photographs(
    encoder_worker: Any, media_worker: Any, site: Site, member: User
) -> None:
    """Photographs and the starter model: sorted, kept, previewed, applied, opened, undone."""
    wanted = {"chelsea.png": "cat", "coffee.png": "coffee", "flower.jpg": "flower"}
    photographs = [sample for sample in SAMPLES if sample.file in wanted]
    for sample in photographs:
        upload(member, sample.path().read_bytes(), sample.file, title=wanted[sample.file])
    space = require_active_space()
    encoded = Embedding.objects.filter(space=space)
    wait_for(lambda: encoded.count() == len(wanted), what="the vectors")
    site.enter(member)
    page = site.open(reverse("label_sets"))
    box = page.get_by_label("Sort all pictures now")
    page.get_by_label("Allow “none of these”").first.uncheck()
    box.press_sequentially("cat, dog, coffee, flower")
    expect(page.locator(".heap")).to_have_count(4)
    assert heaps(page) == [
        "cat 1 picture",
        "dog 0 pictures",
        "coffee 1 picture",
        "flower 1 picture",
    ]
    page.get_by_role("button", name="Keep as a set").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#label-changes-title")).to_have_text("+3, −0")
    page.get_by_role("button", name="Apply this").click()
    expect(page.get_by_text("Applied just now: +3, −0 labels")).to_be_visible()
    page.get_by_role("link", name="flower").click()
    expect(page.locator("[data-tile] img")).to_have_attribute("alt", "flower")
    page.go_back()
    page.get_by_role("button", name="Undo the last apply").click()
    expect(page.get_by_text("Not applied yet")).to_be_visible()
