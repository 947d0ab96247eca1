"""Turning and cropping pixels: where the corners go, sizes, and every way that reads pixels."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gallery.library import rendition_pixels
from gallery.pixels import decode, jobs
from gallery.pixels.recipe import ORIGINAL, WHOLE, Recipe, read, rounded, stored
from tests import pictures

# Clockwise from the top left, as tests.pictures draws them.
UPRIGHT = pictures.corner_names(pictures.drawing())


@pytest.mark.parametrize("turns", range(4))
def test_a_quarter_turns_to_the_right(turns: int) -> None:
    found = Recipe(turns).apply(pictures.drawing(64, 48))
    assert found.size == ((64, 48), (48, 64))[turns % 2]
    assert found.size == Recipe(turns).size_of((64, 48))
    assert pictures.corner_names(found) == pictures.corner_names(
        pictures.drawing(64, 48).rotate(-90 * turns, expand=True)
    )
    assert (pictures.corner_names(found) == UPRIGHT) is (turns == 0)


@pytest.mark.parametrize("turns", range(4))
def test_a_crop_is_a_part_of_the_turned_picture(turns: int) -> None:
    turned = pictures.drawing(80, 60).rotate(-90 * turns, expand=True)
    width, height = turned.size
    part = (0.25, 0.1, 0.5, 0.7)
    box = (width // 4, height // 10, width * 3 // 4, height * 8 // 10)
    found = Recipe(turns, part).apply(pictures.drawing(80, 60))
    assert found.size == Recipe(turns, part).size_of((80, 60))
    assert found.tobytes() == turned.crop(box).tobytes()


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("recipe", [ORIGINAL, Recipe(1), Recipe(3, (0.5, 0.1, 0.25, 0.7))])
def test_turning_what_is_cropped_turns_what_is_seen(recipe: Recipe, quarters: int) -> None:
    picture = pictures.drawing(80, 60)
    seen = recipe.apply(picture).rotate(-90 * quarters, expand=True)
    assert recipe.turned(quarters).apply(picture).tobytes() == seen.tobytes()


def test_four_quarters_are_the_original() -> None:
    recipe = Recipe(0, (0.123457, 0.2, 0.333333, 0.7))
    again = recipe
    for _quarter in range(4):
        again = again.turned(1)
    assert again == recipe
    assert ORIGINAL.turned(1).turned(3) == ORIGINAL


def test_recipes_differ_by_their_edition_and_survive_storing() -> None:
    recipes = [ORIGINAL, Recipe(1), Recipe(2), Recipe(0, (0, 0, 0.5, 1)), Recipe(1, (0, 0, 0.5, 1))]
    assert len({recipe.edition for recipe in recipes}) == len(recipes)
    assert ORIGINAL.edition == ""
    assert stored(ORIGINAL, (8, 6)) == {}
    for recipe in recipes:
        assert read(stored(recipe, (8, 6))) == recipe
    assert rounded(5, (1 / 3, 0, 0.5, 1)) == Recipe(1, (0.333333, 0, 0.5, 1))
    assert rounded(4, WHOLE) == ORIGINAL


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_every_reader_of_pixels_follows_the_recipe(orientation: int) -> None:
    """Also above the orientation of the file, and in the process of large pictures."""
    file = io.BytesIO(pictures.oriented(orientation))
    recipe = Recipe(1, (0, 0, 1, 0.5))
    upright = decode.decode(file)
    wanted = pictures.corner_names(recipe.apply(upright))
    size = recipe.size_of(upright.size)
    header = jobs.header_of(file)
    (webp,) = rendition_pixels.draw(file, size, [None], recipe)
    shown = {
        "encoder": jobs.pixels_for_encoder(file, header, recipe),
        "part": decode.unpack(jobs.packed_part(file, header, WHOLE, recipe)),
        "rendition": Image.open(io.BytesIO(webp)).convert("RGB"),
        "jpeg": Image.open(io.BytesIO(rendition_pixels.draw_jpeg(file, recipe))),
    }
    assert {name: picture.size for name, picture in shown.items()} == dict.fromkeys(shown, size)
    assert {name: pictures.corner_names(picture) for name, picture in shown.items()} == (
        dict.fromkeys(shown, wanted)
    )
    square = Image.open(io.BytesIO(jobs.square_webp(file, header, 24, Recipe(2))))
    assert pictures.corner_names(square.convert("RGB")) != pictures.corner_names(upright)
