"""Searching by dominant colours: names, values, and results."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import translation
from PIL import Image as Pillow
from skimage import data
from sklearn.datasets import load_sample_image

from gallery.errors import Refusal
from gallery.library import colour_names
from gallery.library.visual_features import visual_features_of
from gallery.models import Image
from gallery.search.filters import colours, image_filter
from tests.api_tools import code_of
from tests.conftest import api
from tests.search.test_words import picture

pytestmark = pytest.mark.django_db


@cache
def looks(name: str) -> dict[str, Any]:
    """Return the fields of a photograph, or of one flat colour."""
    if name.startswith("#"):
        return visual_features_of(Pillow.new("RGB", (20, 20), name))
    pixels = load_sample_image(name) if name.endswith(".jpg") else getattr(data, name)()
    return visual_features_of(Pillow.fromarray(pixels).convert("RGB"))


def shown(owner, name: str, visibility: str = "public") -> Image:
    image = picture(owner, name, visibility=visibility)
    Image.objects.filter(pk=image.pk).update(**looks(name))
    return image


def found(viewer, *wanted: str) -> set[str]:
    scope = Image.objects.visible_to(viewer)
    narrowed = image_filter.narrow(scope, {"color": list(wanted)}, viewer)
    return set(narrowed.values_list("title", flat=True))


# --- Names ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("red", "red"),
        (" Red ", "red"),
        ("gray", "grey"),
        ("#ABC", "#aabbcc"),
        ("#12ab9F", "#12ab9f"),
        ("", None),
        ("reddish", None),
        ("#12345", None),
        ("12ab9f", None),
        ("#12ab9g", None),
        ("#１２３", None),
        ("red\x00", None),
    ],
)
def test_how_colours_are_written(text, colour):
    assert colours.canonical(text) == colour


def test_names_are_taken_in_every_language_of_the_site():
    for language in ("en", "zh-hans"):
        with translation.override(language):
            labels = {name: colours.label(name) for name in colours.NAMES}
        for name, label in labels.items():
            assert colours.canonical(label) == name
            assert colours.canonical(label.removesuffix("色")) == name


def test_every_name_has_a_region_and_a_swatch_within_it():
    assert list(colours.NAMES) == list(colour_names.REGIONS)
    for name in colours.NAMES:
        assert colours.called(colours.swatch(name)) == colours.label(name)
        assert set(colours.cells(name)) <= set(looks(colours.swatch(name))["colour_cells"])


@pytest.mark.parametrize(
    ("name", "those", "others"),
    [
        ("red", "#ff0000 #b71c1c #800000 #e53935", "#8b4513 #e0ac90 #c68642 #ffc0cb #ff8c00"),
        ("orange", "#ffa500 #f57c00 #e8762c", "#ff0000 #8b4513 #ffdbac #ffff00"),
        ("yellow", "#ffff00 #fdd835 #e6c300", "#ffa500 #00ff00 #f5f5dc"),
        ("green", "#008000 #7cb342 #33691e #00ff00", "#008080 #0000ff #ffff00 #808080"),
        ("teal", "#008080 #00bcd4 #40e0d0", "#0000ff #008000 #87ceeb"),
        ("blue", "#0000ff #87ceeb #0d47a1 #1a237e #4682b4", "#008080 #8e24aa #808890"),
        ("purple", "#800080 #9c27b0 #673ab7", "#0000ff #ff0000 #ffc0cb"),
        ("pink", "#ff69b4 #ffc0cb #f48fb1", "#ff0000 #800080 #e0ac69"),
        ("brown", "#8b4513 #795548 #5d4037", "#ff0000 #ffa500 #e0ac90 #ffdbac #808080"),
        ("black", "#000000 #0d0d0d #14120f", "#404040 #000080 #330000"),
        ("grey", "#808080 #9e9e9e #c0c0c0 #55565a", "#000000 #ffffff #4682b4"),
        ("white", "#ffffff #fafafa #f2efe9", "#d0d0d0 #ffc0cb #fff59d"),
    ],
)
def test_what_people_call_so(name, those, others):
    number = colour_names.number_of(name)
    for hex_colour in those.split():
        assert number in looks(hex_colour)["colour_cells"], hex_colour
    for hex_colour in others.split():
        assert number not in looks(hex_colour)["colour_cells"], hex_colour


# --- What is found ----------------------------------------------------------------


def test_photographs_by_their_colours(alice):
    for name in ("astronaut", "coffee", "retina", "rocket", "china.jpg", "flower.jpg"):
        shown(alice, name)
    assert found(alice, "red") == {"coffee", "retina", "flower.jpg"}
    assert found(alice, "orange") == {"astronaut", "flower.jpg"}
    assert found(alice, "blue") == {"rocket"}
    assert found(alice, "brown") == {"coffee"}
    assert found(alice, "purple") == found(alice, "yellow") == set()
    assert found(alice, "orange", "black") == {"astronaut", "flower.jpg"}
    assert found(alice, "orange", "black", "red") == {"flower.jpg"}
    assert found(alice, "brown", "purple") == set()


@pytest.mark.parametrize("name", ["astronaut", "coffee", "china.jpg", "flower.jpg"])
def test_each_colour_of_a_palette_finds_its_picture(name, alice):
    """The page of a picture offers these colours."""
    shown(alice, name)
    for hex_colour, _share in looks(name)["palette"]:
        assert found(alice, hex_colour) == {name}


def test_a_value_finds_what_looks_like_it(alice):
    for hex_colour in ("#3366aa", "#3a6cae", "#2f62a0", "#33aa66", "#6633aa", "#99bbee"):
        shown(alice, hex_colour)
    assert found(alice, "#3366aa") == {"#3366aa", "#3a6cae", "#2f62a0"}


def test_the_colours_of_others_are_found_within_what_one_sees(alice, bob):
    shown(alice, "coffee", "private")
    shown(alice, "retina")
    assert found(alice, "red") == {"coffee", "retina"}
    assert found(bob, "red") == found(AnonymousUser(), "red") == {"retina"}


def test_pictures_that_nobody_looked_at_yet_have_no_colour(alice):
    picture(alice, "new")
    assert found(alice, "white") == set()


def test_a_colour_that_is_none_is_refused_in_words(alice):
    for bad in (["reddish"], ["#12"], ["red"] * 6, ["red\x00"]):
        with pytest.raises(Refusal) as refused:
            image_filter.narrow(Image.objects.all(), {"color": bad}, alice)
        assert refused.value.field == "color"
    answer = api(alice).get("/api/v1/images/", {"color": "reddish"})
    assert (answer.status_code, code_of(answer)) == (400, "bad_colour")
    assert "reddish" in answer.json()["errors"][0]["detail"]


def test_colours_in_the_api(alice):
    image = shown(alice, "retina")
    for query in ("color=red", "color=red&color=black", "color=%23d0533c"):
        (only,) = api(alice).get(f"/api/v1/images/?{query}").json()["results"]
        assert only["id"] == str(image.pk)
    assert api(alice).get("/api/v1/images/?color=red&color=blue").json()["results"] == []


def test_cells_are_few_enough_to_ask_for():
    rng = np.random.default_rng(0)
    for red, green, blue in rng.integers(0, 256, (50, 3)):
        assert 1 <= len(colours.cells(f"#{red:02x}{green:02x}{blue:02x}")) <= 120
