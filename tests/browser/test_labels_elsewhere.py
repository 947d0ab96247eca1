"""Labels on the page of a picture, in the filter panel, in charts and on the map."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from gallery.encoders.base import l2_normalise
from gallery.indexing import encoding
from gallery.labels import answers, sets
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.models import Answer, ExploreMap, Image, LabelSet, MapCluster, MapPoint, User
from tests.browser.axe import ALL_RULES, violations
from tests.browser.conftest import Site
from tests.browser.many import NEWEST, many
from tests.labels import tools

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Pictures of each word, by their number.
KINDS = ["dog"] * 24 + ["cat"] * 12 + ["bird"] * 6 + ["red"] * 6


@dataclass
class Pets:
    site: Site
    member: User
    images: list[Image]
    label_set: LabelSet


@pytest.fixture
def pets(site: Site, member: User, monkeypatch: pytest.MonkeyPatch) -> Pets:
    """48 pictures of three years, sorted into dogs, cats and birds; a fifth of them has answers."""
    tools.fake_encoder(monkeypatch)
    space = tools.word_space()
    days = [NEWEST.replace(year=2022 + n % 3, month=1 + n % 12) for n in range(len(KINDS))]
    images = many(member, days)
    _encode(images, space)
    _draw(images, space)
    forms = [CategoryForm("dog", {"zh-hans": "狗"}), CategoryForm("cat", {"zh-hans": "猫"}), "bird"]
    label_set = tools.make_set(member, *forms, name="Pets")
    tools.make_set(member, "red", "green", name="Colours")
    tools.apply(label_set, member, space)
    given = [Given(images[n].pk, KINDS[n], True) for n in (1, 2, 3, 4, 5, 25, 26)]
    answers.give(label_set, member, given)
    # The encoder of the regions' names is away.
    site.expected_errors = ["503", "400"]
    site.enter(member)
    return Pets(site, member, images, label_set)


def _encode(images: list[Image], space: Any) -> None:
    chance = np.random.default_rng(3)
    vectors = np.zeros((len(images), tools.DIMENSIONS), dtype=np.float32)
    for number, word in enumerate(KINDS):
        vectors[number, tools.WORDS.index(word)] = 1
    vectors += chance.normal(0, 0.12, vectors.shape)
    encoding.keep_vectors(space, [image.pk for image in images], l2_normalise(vectors))


def _draw(images: list[Image], space: Any) -> None:
    """Draw a map: each kind is a cloud of its own."""
    chance = np.random.default_rng(4)
    drawn = ExploreMap.objects.create(
        space=space, state="ready", built_at=timezone.now(), laid_out=len(images)
    )
    places = {"dog": (0.3, 0.3), "cat": (0.7, 0.35), "bird": (0.5, 0.7), "red": (0.2, 0.75)}
    region = MapCluster.objects.create(map=drawn, x=0.5, y=0.5, size=len(images))
    for image, word in zip(images, KINDS, strict=True):
        x, y = np.clip(np.array(places[word]) + chance.normal(0, 0.06, 2), 0, 1)
        MapPoint.objects.create(map=drawn, image=image, cluster=region, x=x, y=y)


def row(page: Page, name: str) -> Locator:
    """The row of a category of the picture, without that among all categories."""
    rows = page.locator(".label-group > .label-rows > .label-row")
    return rows.filter(has=page.get_by_role("link", name=name, exact=True))


def fits(page: Page) -> bool:
    """Whether the page is no wider than the window."""
    return page.evaluate(
        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def faults(page: Page) -> list[str]:
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in violations(page, ALL_RULES)
    ]


def test_saying_yes_and_no_to_the_categories_of_a_picture(pets: Pets) -> None:
    page = pets.site.open(f"/images/{pets.images[0].pk}/")
    page.get_by_role("button", name="Info").click()
    dog = row(page, "dog")
    expect(dog.locator(".number")).to_contain_text("%")
    dog.get_by_role("button", name="No").focus()
    page.keyboard.press("Enter")
    expect(dog.locator(".number")).to_have_text("a person said no")
    # The focus stays where it was, and the same key takes the answer back.
    expect(dog.get_by_role("button", name="No")).to_be_focused()
    assert not Answer.objects.get(image=pets.images[0]).verdict
    page.keyboard.press("Enter")
    expect(dog.locator(".number")).to_contain_text("%")
    assert not Answer.objects.filter(image=pets.images[0]).exists()

    everything = page.locator(f"#labels-of-{pets.label_set.pk}")
    everything.locator("summary").first.click()
    cat = everything.locator(".label-row").filter(has=page.get_by_role("link", name="cat"))
    cat.get_by_role("button", name="Yes").click()
    expect(row(page, "cat").locator(".number")).to_have_text("a person said so")
    expect(row(page, "dog")).to_have_count(0)
    expect(everything).to_have_attribute("open", "")


def test_why_shows_the_nearest_answered_pictures(pets: Pets) -> None:
    page = pets.site.open(f"/images/{pets.images[0].pk}/")
    page.get_by_role("button", name="Info").click()
    reason = row(page, "dog").locator(".label-why")
    reason.locator("summary").click()
    expect(reason.locator(".why-pictures").first.locator("img")).to_have_count(4)
    expect(reason).to_contain_text("By version 1 of the set")
    reason.locator(".why-pictures a").first.click()
    expect(row(page, "dog").locator(".number")).to_have_text("a person said so")
    # The next picture in the same document has its own categories.
    page.keyboard.press("ArrowRight")
    expect(page.locator("#picture-labels")).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert fits(page)


def test_categories_in_the_filter_panel(pets: Pets) -> None:
    page = pets.site.open("/")
    page.get_by_role("button", name=re.compile("^Filter")).click()
    choices = page.locator("[data-categories]")
    dog = choices.locator(".facet", has_text="dog")
    expect(dog.locator(".facet-count")).to_have_text(re.compile(r"\d+"))
    dog.get_by_role("checkbox", name=re.compile("^dog")).check()
    dog.get_by_role("checkbox", name="Without dog").check()
    expect(dog.get_by_role("checkbox", name=re.compile("^dog"))).not_to_be_checked()
    dog.get_by_role("checkbox", name=re.compile("^dog")).check()
    choices.get_by_label("Least probability").select_option("0.8")
    # A changed choice is counted again, and stays.
    expect(choices.locator(".facet")).to_have_count(1)
    expect(dog.get_by_role("checkbox", name=re.compile("^dog"))).to_be_checked()
    assert faults(page) == []
    page.get_by_role("button", name=re.compile("^Show")).click()
    expect(page).to_have_url(f"{pets.site.url}/?category=dog&likely=0.8")
    chip = page.get_by_role("link", name=re.compile("Category: dog, over 80 %"))
    expect(chip).to_be_visible()
    chip.click()
    expect(page).to_have_url(re.compile(r"/\?likely=0\.8$"))
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name=re.compile("^Filter")).click()
    expect(dog.locator(".facet-count")).to_have_text(re.compile(r"\d+"))
    assert fits(page)


def test_a_category_is_found_by_name_in_the_filter_panel(pets: Pets) -> None:
    tools.make_set(
        pets.label_set.owner, *(f"thing {number}" for number in range(12)), "red truck", name="Many"
    )
    page = pets.site.open("/")
    page.get_by_role("button", name=re.compile("^Filter")).click()
    choices = page.locator("[data-categories]")
    choices.get_by_role("checkbox", name=re.compile("^dog")).check()
    field = page.get_by_label("Find a category")
    field.fill("truck")
    expect(choices.locator(".facet", has_text="red truck")).to_be_visible()
    expect(choices.locator(".facet")).to_have_count(2)  # what is chosen stays
    field.press("Enter")
    expect(page.get_by_role("dialog", name="Filters")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name=re.compile("^Show")).click()
    expect(page).to_have_url(f"{pets.site.url}/?category=dog")


def test_the_map_in_the_colours_of_a_set(pets: Pets) -> None:
    page = pets.site.open("/explore/")
    expect(page.locator("#map")).to_have_attribute("data-points", "48")
    page.get_by_label("Colours", exact=True).select_option("Pets")
    expect(page).to_have_url(re.compile(f"colour={pets.label_set.pk}"))
    legend = page.locator("#map-legend button")
    expect(legend.first).to_contain_text("dog")
    counted = [int(text) for text in page.locator("#map-legend .count").all_text_contents()]
    assert sum(counted) == 48
    assert counted == sorted(counted, reverse=True)
    # A list of regions that is longer than the window leaves it its height.
    page.locator("#regions").evaluate("(regions) => (regions.style.minHeight = '3000px')")
    box = page.locator("#map-legend").bounding_box()
    assert box is not None
    assert box["height"] >= min(34 * len(counted), 300)
    canvas = page.locator("#map canvas")
    before = canvas.screenshot()
    legend.first.click()
    expect(legend.first).to_have_attribute("aria-pressed", "false")
    page.mouse.move(5, 5)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert canvas.screenshot() != before
    assert faults(page) == []
    page.get_by_label("Colours", exact=True).select_option("Of the pictures")
    expect(legend).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 800})
    assert fits(page)


def test_charts(pets: Pets) -> None:
    page = pets.site.open(f"/categories/{pets.label_set.pk}/charts/")
    expect(page.locator(".chart-bar .number").first).to_contain_text("%")
    assert faults(page) == []
    for width in (1440, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page)
    page.locator("summary", has_text="As a table").click()
    assert fits(page)
    page.get_by_role("button", name="Album that fills itself with “cat”").click()
    expect(page.get_by_role("heading", name="cat")).to_be_visible()
    expect(page).to_have_url(re.compile("/albums/"))


def test_long_sets_and_deleted_ones_are_for_everybody(pets: Pets, member: User) -> None:
    made = tools.make_set(member, *(f"thing {number}" for number in range(60)), name="Many")
    sets.delete(tools.make_set(member, "dog", name="Old"), member)
    for rest in (f"{made.pk}/", f"{made.pk}/quality/", ""):
        page = pets.site.open(f"/categories/{rest}")
        if not rest:
            page.locator("summary", has_text="Deleted sets").click()
        assert faults(page) == [], rest
        page.set_viewport_size({"width": 320, "height": 800})
        assert fits(page), rest
        page.set_viewport_size({"width": 1280, "height": 800})


def test_classifying_by_a_set(pets: Pets, photos: dict[str, Path]) -> None:
    page = pets.site.open(f"/images/{pets.images[0].pk}/")
    page.get_by_role("button", name="Info").click()
    page.locator("#classify > summary").click()
    page.get_by_label("Classify by").select_option("Pets")
    expect(page.locator("#classnames")).to_be_hidden()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#classes .bar-row")).to_have_count(3)
    expect(page.locator("#classes .name").first).to_have_text("dog")
    page.get_by_label("Classify by").select_option("Categories that I type")
    expect(page.locator("#classnames")).to_be_visible()
