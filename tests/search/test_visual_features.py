"""Visual features: dominant colours, the perceptual hash, and when they are computed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageDraw, ImageEnhance
from skimage import data

from gallery.library import colour_names, oklab
from gallery.library.palette import dominant
from gallery.library.perceptual_hash import perceptual_hash
from gallery.library.storage import original_of, rendition_path
from gallery.library.visual_features import VisualFeatures, visual_features_of
from gallery.models import Analysis, Image, Outage, User
from gallery.work import ledger
from tests.conftest import draw, upload
from tests.factories import analyse, make_space, set_vector

pytestmark = pytest.mark.django_db

PHOTOS = ["astronaut", "coffee", "chelsea", "rocket", "retina"]


def photo(name: str) -> Pillow.Image:
    return Pillow.fromarray(getattr(data, name)()).convert("RGB")


def bits_apart(first: int, second: int) -> int:
    """Return how many of their 64 bits differ, as SQL counts them (bit_count)."""
    return ((first ^ second) & (2**64 - 1)).bit_count()


def stripes(**shares: int) -> Pillow.Image:
    """Draw vertical stripes with these widths in percent."""
    picture = Pillow.new("RGB", (100, 50), "white")
    left = 0
    for colour, share in shares.items():
        ImageDraw.Draw(picture).rectangle((left, 0, left + share - 1, 49), fill=colour)
        left += share
    return picture


def file_of(picture: Pillow.Image, **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, how.pop("format", "PNG"), **how)
    return buffer.getvalue()


def rendered(owner: User, data: bytes) -> Image:
    image = upload(owner, data)
    analyse()
    image.refresh_from_db()
    return image


def row_of(image: Image, analyser: str = "visual_features") -> Analysis:
    return image.analyses.get(analyser=analyser)


# --- OKLab ------------------------------------------------------------------------


def test_oklab_is_that_of_its_author():
    """The examples are from https://www.w3.org/TR/css-color-4/#color-conversion-code and the
    author's page: white, red, and grey in the middle."""
    colours = np.array([[255, 255, 255], [255, 0, 0], [99, 99, 99]], dtype=np.uint8)
    expected = [[1, 0, 0], [0.6280, 0.2249, 0.1258], [0.5, 0, 0]]
    assert oklab.from_srgb(colours) == pytest.approx(np.array(expected), abs=1e-3)


def test_every_colour_of_the_screen_has_a_cell_and_comes_back():
    bytes_ = np.random.default_rng(0).integers(0, 256, (5000, 3)).astype(np.uint8)
    colours = oklab.from_srgb(bytes_)
    assert (oklab.to_srgb(colours) == bytes_).all()
    numbers, middles = oklab.all_cells()
    assert np.isin(oklab.cells_of(colours), numbers).all()
    assert (oklab.cells_of(middles) == numbers).all()
    assert 0 <= numbers.min() <= numbers.max() < 2**15


# --- Dominant colours -------------------------------------------------------------


def test_colours_and_their_shares():
    found = dominant(stripes(red=50, blue=30, gold=16))
    assert [colour.hex for colour in found] == ["#ff0000", "#0000ff", "#ffd700"]
    assert [colour.share for colour in found] == pytest.approx([0.5, 0.3, 0.16], abs=0.01)


def test_small_shares_are_left_out_but_vivid_ones_are_seen_sooner():
    grey = stripes(red=4, gray=96)
    assert {colour.hex for colour in dominant(grey)} == {"#808080", "#ff0000"}
    pale = stripes(white=4, black=2, gray=94)
    assert [colour.hex for colour in dominant(pale)] == ["#808080"]


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2000, 3)])
def test_pictures_of_any_shape_have_a_colour(size):
    (only,) = dominant(Pillow.new("RGB", size, "#336699"))
    assert (only.hex, only.share) == ("#336699", pytest.approx(1))


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photograph_has_a_few_colours_that_are_in_it(name):
    picture = photo(name)
    found = dominant(picture)
    assert 1 <= len(found) <= 6
    shares = [colour.share for colour in found]
    assert shares == sorted(shares, reverse=True)
    assert 0.5 < sum(shares) <= 1 + 1e-9
    small = picture.copy()
    small.thumbnail((96, 96), Pillow.Resampling.BOX)
    pixels = oklab.from_srgb(np.asarray(small)).reshape(-1, 3)
    near = oklab.distances(pixels, np.array([colour.colour for colour in found])).min(axis=1)
    assert np.median(near) < 0.12
    assert visual_features_of(picture) == visual_features_of(picture.copy())


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("astronaut", {"orange"}, {"green", "purple", "yellow"}),
        ("coffee", {"brown"}, {"blue", "green", "purple"}),
        ("retina", {"red"}, {"blue", "green", "purple"}),
        ("rocket", {"blue"}, {"red", "pink", "purple"}),
    ],
)
def test_photographs_have_the_colours_that_people_see(name, has, has_not):
    cells = set(visual_features_of(photo(name))["colour_cells"])
    called = {word for word in colour_names.REGIONS if colour_names.number_of(word) in cells}
    assert has <= called
    assert not has_not & called, called


# --- The hash ---------------------------------------------------------------------


@pytest.mark.parametrize("name", PHOTOS)
def test_the_hash_outlives_what_happens_to_photographs(name):
    picture = photo(name)
    own = perceptual_hash(picture)
    assert -(2**63) <= own < 2**63
    small = picture.resize((picture.width // 3, picture.height // 3))
    poor = Pillow.open(io.BytesIO(file_of(picture, format="JPEG", quality=25)))
    light = ImageEnhance.Brightness(picture).enhance(1.15)
    for changed in (small, poor, light):
        assert bits_apart(own, perceptual_hash(changed)) <= 6
    for other in set(PHOTOS) - {name}:
        assert bits_apart(own, perceptual_hash(photo(other))) >= 20


def test_bits_are_counted_whatever_the_sign():
    assert bits_apart(-1, 0) == 64
    assert bits_apart(-(2**63), 2**63 - 1) == 64
    assert bits_apart(5, 5) == 0
    assert bits_apart(-1, -2) == 1


def test_flat_pictures_have_no_noise_in_their_hash():
    hashes = {perceptual_hash(Pillow.new("RGB", (50, 40), colour)) for colour in ("red", "#777")}
    assert len(hashes) == 1


# --- In the worker ----------------------------------------------------------------


def test_looks_follow_the_renditions(alice, dispatched):
    image = rendered(alice, file_of(stripes(red=60, blue=40)))
    levels = [list(bytes.fromhex(colour[1:])) for colour, _share in image.palette]
    assert levels == [pytest.approx(colour, abs=2) for colour in ([255, 0, 0], [0, 0, 255])]
    assert (row_of(image).state, row_of(image).version) == ("done", VisualFeatures.version)
    assert colour_names.number_of("red") in image.colour_cells
    assert image.perceptual_hash is not None


def test_transparency_lies_over_white(alice, dispatched):
    clear = Pillow.new("RGBA", (64, 64), (255, 0, 0, 0))
    assert rendered(alice, file_of(clear)).palette == [["#ffffff", 1.0]]


def test_a_turned_picture_is_looked_at_upright(alice, dispatched):
    """It looks like its upright copy."""
    upright = photo("astronaut")
    exif = Pillow.Exif()
    exif[0x0112] = 6  # stored turned by a quarter to the left
    turned = file_of(upright.rotate(90, expand=True), format="JPEG", quality=95, exif=exif)
    straight = file_of(upright, format="JPEG", quality=95)
    hashes = [rendered(alice, data).perceptual_hash for data in (turned, straight)]
    assert bits_apart(*hashes) <= 2


def look_again() -> None:
    """Remove the features, as before the analysis."""
    Image.objects.update(palette=[], colour_cells=[], perceptual_hash=None)
    ledger.requeue(list(Image.objects.values_list("pk", flat=True)), [VisualFeatures()])


def assert_looked_at(images: list[Image]) -> None:
    """Check that the result is the same as before."""
    for before in images:
        after = Image.objects.get(pk=before.pk)
        assert row_of(after).state == "done"
        assert bits_apart(after.perceptual_hash, before.perceptual_hash) <= 4
        assert after.palette


def test_a_higher_version_looks_at_all_pictures_again(alice, dispatched, monkeypatch):
    images = [rendered(alice, draw(colour=colour)) for colour in ("red", "blue", "green")]
    assert analyse() == 0
    Image.objects.update(palette=[], colour_cells=[], perceptual_hash=None)
    monkeypatch.setattr(VisualFeatures, "version", VisualFeatures.version + 1)
    assert analyse() == len(images), "looks alone"
    assert_looked_at(images)
    assert {row_of(image).version for image in images} == {VisualFeatures.version}
    assert analyse() == 0


def test_a_higher_version_tries_again_what_failed(alice, dispatched, monkeypatch):
    image = rendered(alice, draw())
    Analysis.objects.filter(analyser="visual_features").update(
        state="failed", reason_code="unknown"
    )
    assert analyse() == 0
    monkeypatch.setattr(VisualFeatures, "version", VisualFeatures.version + 1)
    assert analyse() == 1
    assert row_of(image).state == "done"


def test_what_is_looked_at_again_is_compared_again(alice, dispatched):
    image = rendered(alice, draw())
    set_vector(image, make_space(), [1, 0, 0])
    Analysis.objects.filter(analyser="comparison").update(state="done")
    look_again()
    analyse()
    assert row_of(image, "comparison").state == "waiting"


def test_nothing_is_looked_at_before_there_are_renditions(alice, dispatched):
    image = upload(alice)
    assert ledger.claim(VisualFeatures(), 10).entries == ()
    assert (row_of(image).state, row_of(image).attempts) == ("waiting", 0)
    assert analyse() == 2, "the first step wakes the next, whatever it was put off to"
    assert row_of(image).state == "done"


@pytest.mark.parametrize("harm", ["missing", "damaged", "cut off"])
def test_a_rendition_that_cannot_be_read_is_drawn_from_the_original(harm, alice, dispatched):
    image = rendered(alice, draw())
    name = rendition_path(image, 320)
    with default_storage.open(name) as file:
        whole = file.read()
    default_storage.delete(name)
    if harm == "damaged":
        default_storage.save(name, io.BytesIO(b"RIFF no picture"))
    if harm == "cut off":
        default_storage.save(name, io.BytesIO(whole[: len(whole) // 2]))
    look_again()
    assert analyse() == 1
    assert_looked_at([image])
    assert row_of(image, "renditions").state == "done"


@pytest.mark.django_db(transaction=True)
def test_without_its_original_it_is_given_up(alice, dispatched):
    image, other = rendered(alice, draw()), rendered(alice, draw(colour="blue"))
    default_storage.delete(rendition_path(image, 320))
    default_storage.delete(original_of(image))
    look_again()
    assert analyse() == 1
    assert (row_of(image).state, row_of(image).reason_code) == ("failed", "original_missing")
    assert_looked_at([other])
    assert not Outage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_is_down_costs_nothing_but_time(alice, dispatched, monkeypatch):
    images = [rendered(alice, draw(colour=colour)) for colour in ("red", "blue")]
    look_again()

    def down(name: str, mode: str = "rb") -> None:
        raise OSError("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "open", down)
        for _again in range(2 * ledger.MAX_ATTEMPTS):
            assert analyse() == 0
            assert Outage.objects.get().thing == "storage"
            for image in images:
                assert (row_of(image).state, row_of(image).attempts) == ("waiting", 0)
            Outage.objects.update(ask_at=timezone.now())
    assert analyse() == len(images)
    assert_looked_at(images)
    assert not Outage.objects.exists()
