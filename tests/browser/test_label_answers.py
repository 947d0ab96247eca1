"""Answering by keys and by thumb, answers that wait, thresholds by eye, and evaluation with
folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gallery.encoders import client as encoder_client
from gallery.labels import answers, maintenance, sets
from gallery.labels.answers import Given
from gallery.models import Answer, EmbeddingSpace, Image, LabelSet, User
from tests.browser.conftest import Site
from tests.conftest import draw, upload, wait_for
from tests.labels import tools

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("CLIPSITE_SHOTS")
COUNT = 30


@pytest.fixture
def space(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    tools.fake_encoder(monkeypatch)
    return tools.word_space()


@pytest.fixture
def taught(site: Site, alice: User, space: EmbeddingSpace) -> tuple[LabelSet, list[Image]]:
    """Thirty pictures from all dog to all cat, and a set of both."""
    images = []
    for number in range(COUNT):
        image = upload(alice, draw(120, 90, (8 * number, 90, 160)), name=f"{number:02}.jpg")
        tools.encode(image, space, dog=1 - number / COUNT, cat=number / COUNT)
        images.append(image)
    site.enter(alice)
    return tools.make_set(alice, "dog", "cat"), images


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"label-answers-{name}.png")


def opened(site: Site, label_set: LabelSet, rest: str = "answer/?category=dog") -> Page:
    page = site.open(f"/categories/{label_set.pk}/{rest}")
    if rest.startswith("answer"):
        page.locator(".strip-picture").first.wait_for()
    return page


def is_saved(page: Page) -> None:
    expect(page.locator("#strip-status")).to_have_attribute("data-state", "saved")


def said() -> dict[str, bool]:
    """The answers by the names of the pictures."""
    return dict(Answer.objects.values_list("image__original_name", "verdict"))


def test_twelve_by_keys(site: Site, taught) -> None:
    label_set, _images = taught
    page = opened(site, label_set)
    pictures = page.locator(".strip-picture")
    expect(pictures).to_have_count(12)
    page.keyboard.press("y")
    expect(pictures.nth(0)).to_have_attribute("data-said", "yes")
    expect(pictures.nth(1).locator("button")).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowDown")
    expect(pictures.nth(5).locator("button")).to_be_focused()
    page.keyboard.press("n")
    page.keyboard.press("s")
    is_saved(page)
    assert sorted(said().values()) == [False, True]
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(pictures.nth(5)).to_have_attribute("data-said", "")
    wait_for(lambda: list(said().values()) == [True], what="the no is taken back")
    shot(page, "keys")
    first = pictures.nth(0).locator("img").get_attribute("src")
    page.keyboard.press("N")
    expect(pictures.nth(0).locator("img")).not_to_have_attribute("src", first or "")
    expect(page.locator("#figures")).to_contain_text("12 answers: 1 yes, 11 no")
    expect(page.locator("#figures")).to_contain_text("It learns from the new answers")
    maintenance.maintain()
    expect(page.locator("#figures")).to_contain_text("the words alone would have guessed")
    # Undo leads back to the batch before.
    page.keyboard.press("u")
    expect(pictures.nth(0).locator("img")).to_have_attribute("src", first or "")
    wait_for(lambda: len(said()) == 11, what="the last one is taken back")


def test_all_pictures_are_asked_once(site: Site, taught) -> None:
    label_set, _images = taught
    page = opened(site, label_set)
    pictures = page.locator(".strip-picture")
    while len(said()) < COUNT:
        expect(pictures.first).to_have_attribute("data-said", "")
        wanted = len(said()) + pictures.count()
        page.keyboard.press("Y")
        wait_for(lambda wanted=wanted: len(said()) == wanted, what="all of them are answered")
    expect(page.locator("#strip-notice")).to_contain_text("There is nothing left to ask")
    assert len(said()) == COUNT


def test_answers_wait_while_the_network_is_away(site: Site, taught) -> None:
    label_set, _images = taught
    site.expected_errors = ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    page = opened(site, label_set)
    page.context.set_offline(True)
    page.keyboard.press("y")
    page.keyboard.press("n")
    page.keyboard.press("y")
    status = page.locator("#strip-status")
    expect(status).to_contain_text("3 answers wait")
    shot(page, "waiting")
    assert said() == {}
    # The page closes without having sent them.
    page.goto("about:blank")
    page.context.set_offline(False)
    page = opened(site, label_set)
    wait_for(lambda: len(said()) == 3, what="the answers of the closed page are sent")
    assert sorted(said().values()) == [False, True, True]
    # They are not asked again.
    expect(page.locator("#figures")).to_contain_text("3 answers")
    page.context.set_offline(True)
    page.keyboard.press("y")
    expect(status).to_contain_text("1 answer waits")
    page.context.set_offline(False)
    is_saved(page)
    assert len(said()) == 4


def test_answers_outlive_the_session(site: Site, taught, alice: User) -> None:
    label_set, _images = taught
    site.expected_errors = ["404"]
    page = opened(site, label_set)
    page.context.clear_cookies()
    page.keyboard.press("y")
    expect(page.locator("#strip-status")).to_contain_text("You are signed out. 1 answer is kept")
    page.goto("about:blank")
    site.enter(alice)
    opened(site, label_set)
    wait_for(lambda: len(said()) == 1, what="the answer is sent")


def test_a_deleted_picture_costs_no_other_answer(site: Site, taught) -> None:
    label_set, _images = taught
    # The answer is refused, and the preview may be asked for when it is gone.
    site.expected_errors = ["400", "404"]
    page = opened(site, label_set)
    name = page.locator(".strip-picture button").nth(1).get_attribute("aria-label") or ""
    gone = name.split(": ")[1].split(",")[0]
    Image.objects.filter(original_name=gone).delete()
    page.keyboard.press("Y")
    is_saved(page)
    assert len(said()) == 11
    expect(page.locator(".toast").first).to_contain_text("There is no such picture")


def test_on_a_phone(site: Site, phone: None, taught) -> None:
    label_set, _images = taught
    page = opened(site, label_set)
    page.get_by_role("group", name="Your answer").get_by_role("button", name="No").click()
    expect(page.locator(".strip-picture").first).to_have_attribute("data-said", "no")
    is_saved(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    height = page.viewport_size["height"] if page.viewport_size else 0
    for button in page.locator("[data-say]").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert height * 0.6 < box["y"] < height - box["height"]
    # A caption of two lines leaves the small pictures above the buttons.
    page.locator("[data-why]").evaluate("why => { why.textContent = 'long words '.repeat(5); }")
    thumb = page.locator(".strip-picture").first.bounding_box()
    acts = page.locator(".strip-acts").bounding_box()
    assert thumb is not None
    assert acts is not None
    assert thumb["y"] + thumb["height"] <= acts["y"]
    shot(page, "phone")
    for rest in ("quality/?category=dog", "evaluate/"):
        opened(site, label_set, rest)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), rest


def test_a_threshold_by_eye(site: Site, taught) -> None:
    label_set, _images = taught
    page = opened(site, label_set, "quality/?category=dog")
    cut = page.locator("#cut")
    expect(cut).to_contain_text("16 pictures would have the label.")
    line = page.get_by_role("slider")
    line.focus()
    line.evaluate("range => { range.value = 80; }")
    page.keyboard.press("ArrowRight")
    expect(cut).to_contain_text("Threshold: 80 %.")
    expect(page.get_by_label("By eye: move the line")).to_be_checked()
    expect(cut.locator("img").first).to_be_visible()
    shot(page, "eye")
    page.get_by_label("At least so much is right").check()
    expect(cut).to_contain_text("Threshold: 50 %.")
    expect(line).not_to_have_value("80.1")
    page.get_by_role("button", name="Save for this category").click()
    expect(page.locator(".toast")).to_contain_text("The threshold is saved.")
    assert sets.category(label_set, "dog").threshold
    page.locator(".toast").get_by_role("button", name="Undo").click()
    wait_for(lambda: sets.category(label_set, "dog").threshold is None, what="it is undone")


def test_doubts_by_keys(site: Site, taught, alice: User) -> None:
    label_set, images = taught
    given = [Given(image.pk, "dog", number < 15) for number, image in enumerate(images)]
    given[0], given[29] = Given(images[0].pk, "dog", False), Given(images[29].pk, "dog", True)
    answers.give(label_set, alice, given)
    maintenance.maintain()
    page = opened(site, label_set, "quality/?category=dog")
    rows = page.locator("[data-doubt]")
    expect(rows).to_have_count(2)
    rows.nth(0).focus()
    page.keyboard.press("y")
    expect(rows.nth(0)).to_have_class("doubt settled")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(".doubt.settled")).to_have_count(2)
    shot(page, "doubts")
    page.reload()
    expect(page.locator(".plot-points circle").first).to_be_visible()


def test_folders_are_evaluated(
    site: Site, taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_set, images = taught
    monkeypatch.setattr(
        encoder_client, "encode_picture", lambda _space, _packed: tools.vector_of_text("cat")
    )
    for name in ("dog", "cat", "none"):
        (tmp_path / "own" / name).mkdir(parents=True)
    with images[0].file.open("rb") as original:
        (tmp_path / "own" / "dog" / "known.jpg").write_bytes(original.read())
    for number in range(3):
        (tmp_path / "own" / "cat" / f"{number}.jpg").write_bytes(draw(90, 90, (0, 0, number)))
    (tmp_path / "own" / "cat" / "broken.jpg").write_bytes(b"not a picture")
    (tmp_path / "own" / "none" / "another.jpg").write_bytes(draw(90, 90, (9, 9, 9)))
    site.expected_errors = ["400"]
    page = opened(site, label_set, "evaluate/")
    page.locator("[data-folder]").set_input_files(tmp_path / "own")
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    expect(page.locator("#evaluation")).to_contain_text("5 pictures")
    expect(page.locator("[data-problem]")).to_contain_text("1 files could not be read")
    assert Image.objects.count() == COUNT
    page.get_by_role("link", name="cat, said to be cat: 3 pictures").click()
    shown = page.locator("#cell-1-1 img")
    expect(shown).to_have_count(3)
    expect(shown.first).to_be_visible()
    assert shown.first.evaluate("picture => picture.decode().then(() => true)")
    shot(page, "evaluation")
