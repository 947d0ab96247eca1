"""The review of near-duplicates by keyboard and pointer, on a desktop and on a phone."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image as PILImage
from playwright.sync_api import Page, expect
from skimage import data as photographs

from gallery.models import Album, AlbumItem, Image, NearDuplicate, Tag, User
from tests.browser.conftest import Site
from tests.conftest import upload
from tests.factories import analyse
from tests.search.test_near_duplicates import link

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = os.environ.get("CLIPSITE_SHOTS")


def photo(name: str, scale: float = 1.0, quality: int = 90) -> bytes:
    picture = PILImage.fromarray(getattr(photographs, name)()).convert("RGB")
    size = (int(picture.width * scale), int(picture.height * scale))
    buffer = io.BytesIO()
    picture.resize(size).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def add(owner: User, name: str, **how: float) -> Image:
    image = upload(owner, photo(name, **how), name=f"{name}.jpg")
    analyse()
    return image


@pytest.fixture
def groups(site: Site, alice: User) -> list[list[Image]]:
    """Two copies of a cat and three of a cup of coffee, the closest pair first."""
    cats = [add(alice, "chelsea"), add(alice, "chelsea", scale=0.5)]
    cups = [add(alice, "coffee"), add(alice, "coffee", scale=0.7), add(alice, "coffee", scale=0.5)]
    link(*cats, similarity=0.99, bits=0)
    for one, other in ((0, 1), (1, 2), (0, 2)):
        link(cups[one], cups[other], similarity=0.95, bits=6)
    album = Album.objects.create(owner=alice, title="Holidays in the mountains")
    AlbumItem.objects.create(album=album, image=cats[1], position=1)
    Tag.objects.create(owner=alice, name="cat").images.add(cats[1])
    site.enter(alice)
    return [cats, cups]


def shot(page: Page, name: str) -> None:
    """Keep a screenshot in the folder CLIPSITE_SHOTS, if set."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"duplicates-{name}.png")


def deleted(image: Image) -> bool:
    return Image.objects.get(pk=image.pk).deleted_at is not None


def test_by_keyboard_alone(site: Site, groups: list[list[Image]]) -> None:
    cats, cups = groups
    page = site.open("/duplicates/")
    cards = page.locator(".duplicate-group")
    expect(cards).to_have_count(2)
    shot(page, "page")
    page.keyboard.press("ArrowDown")
    expect(cards.nth(0)).to_be_focused()
    page.keyboard.press("2")
    expect(cards.nth(0).locator("input[name=keep]").nth(1)).to_be_checked()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    settled = page.locator("[data-settled]")
    expect(settled).to_contain_text("One picture kept, 1 is in the trash.")
    assert [deleted(image) for image in cats] == [False, True]
    assert AlbumItem.objects.filter(image=cats[0]).exists()
    expect(cards).to_have_count(1)
    expect(cards.first).to_be_focused()
    shot(page, "settled")
    page.keyboard.press("z")
    expect(cards).to_have_count(2)
    expect(cards.first).to_be_focused()
    assert not deleted(cats[1])
    page.keyboard.press("ArrowDown")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("x")
    expect(settled).to_contain_text("these are different pictures")
    assert NearDuplicate.objects.filter(dismissed_at=None).count() == 1
    assert not any(map(deleted, cups))


def test_uncertain_groups_need_a_choice(site: Site, groups: list[list[Image]]) -> None:
    _cats, cups = groups
    page = site.open("/duplicates/")
    card = page.locator(".duplicate-group").nth(1)
    expect(card.locator("input[name=keep]:checked")).to_have_count(0)
    card.focus()
    page.keyboard.press("Enter")
    card.get_by_role("button", name="Keep one, trash the others").click()
    expect(page.locator("[data-settled]")).to_have_count(0)
    assert not any(map(deleted, cups))
    card.focus()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-settled]")).to_contain_text("One picture kept, 2 are in the trash.")
    assert [deleted(image) for image in cups] == [True, False, True]


def test_comparing_two_over_one_another(site: Site, groups: list[list[Image]]) -> None:
    page = site.open("/duplicates/")
    card = page.locator(".duplicate-group").nth(1)
    card.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Compare two pictures")
    expect(dialog).to_be_visible()
    slider = dialog.get_by_role("slider")
    expect(slider).to_be_focused()
    expect(dialog.locator("[data-left]")).to_contain_text("1")
    expect(dialog.locator("[data-right]")).to_contain_text("2")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("55")
    page.keyboard.press("ArrowDown")
    expect(dialog.locator("[data-right]")).to_contain_text("3")
    page.keyboard.press("+")
    box = dialog.locator("[data-box]")
    for layer in range(2):
        moved = dialog.locator("[data-layer] img").nth(layer)
        expect(moved).to_have_attribute("style", "transform: translate(0px, 0px) scale(1.5);")
    shot(page, "compare")
    page.keyboard.down(" ")
    expect(box).to_have_class("compare-box flipped")
    page.keyboard.up(" ")
    expect(box).to_have_class("compare-box")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_one_of_three_is_different(site: Site, groups: list[list[Image]]) -> None:
    page = site.open("/duplicates/")
    card = page.locator(".duplicate-group").nth(1)
    card.get_by_role("button", name="This one is different").nth(2).click()
    expect(page.locator("[data-settled]")).to_contain_text("this is a different picture")
    expect(page.locator(".duplicate-group").nth(1).locator(".duplicate-picture")).to_have_count(2)


def test_all_certain_groups_at_once_after_a_question(site: Site, groups: list[list[Image]]) -> None:
    cats, cups = groups
    page = site.open("/duplicates/")
    page.get_by_role("button", name="Merge the 1 certain group").click()
    shot(page, "certain")
    page.get_by_role("button", name="Merge them").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("1 copy is in the trash")
    assert [deleted(image) for image in (*cats, *cups)] == [False, True, False, False, False]
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".duplicate-group")).to_have_count(2)
    assert not deleted(cats[1])


def test_on_a_phone_nothing_is_cut_off(site: Site, groups: list[list[Image]]) -> None:
    width = 320
    site.page.set_viewport_size({"width": width, "height": 700})
    page = site.open("/duplicates/")
    expect(page.locator(".duplicate-group")).to_have_count(2)
    shot(page, f"phone-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Compare").first.click()
    expect(page.locator("#compare")).to_be_visible()
    shot(page, f"phone-compare-{width}")
    foot = page.locator(".compare-foot").bounding_box()
    assert foot is not None
    assert foot["y"] + foot["height"] <= 700
