"""Detection of mere copies: documents that differ in one character are not copies."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont
from skimage import data as photographs

from gallery import tasks
from gallery.indexing import near_duplicates, previews
from gallery.library import detail, rendition_pixels, renditions
from gallery.models import Image, NearDuplicate
from gallery.organising import copies, duplicates
from tests.conftest import upload
from tests.factories import analyse, make_space, set_vector
from tests.search.test_near_duplicates import build_index, link, pairs

pytestmark = pytest.mark.django_db


def saved(picture: PILImage.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format, **options)
    return buffer.getvalue()


def page(lines: list[str], size=(1240, 1754), font: float = 30, ink=(20, 20, 20)) -> PILImage.Image:
    picture = PILImage.new("RGB", size, (252, 250, 244))
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        spot = (size[0] // 12, int(font * (2 + 1.6 * number)))
        pen.text(spot, line, font=ImageFont.load_default(font), fill=ink)
    return picture


def form(name: str = "Anna Smith", day: str = "12.03.1981", **looks) -> PILImage.Image:
    return page(["Application for a card", "", f"Name: {name}", f"Born on: {day}", "Yes"], **looks)


def receipt(total: str) -> PILImage.Image:
    items = [f"Item {number:02d}      {number}.90" for number in range(14)]
    return page(["CORNER SHOP", *items, f"TOTAL {total}", "Thank you"], (500, 900), 22)


def screen(last: str) -> PILImage.Image:
    return page([*["word " * 12] * 29, "word " * 11 + last], (1920, 1080), 15)


def board(moved: bool) -> PILImage.Image:
    picture = PILImage.new("RGB", (640, 640), (240, 217, 181))
    pen = ImageDraw.Draw(picture)
    for square in range(64):
        x, y = square % 8 * 80, square // 8 * 80
        if (square + square // 8) % 2:
            pen.rectangle((x, y, x + 79, y + 79), fill=(181, 136, 99))
        if square // 8 in (0, 1, 6, 7) and not (moved and square == 51):
            pen.ellipse((x + 20, y + 20, x + 60, y + 60), fill=(20, 20, 20))
    if moved:
        pen.ellipse((260, 340, 300, 380), fill=(20, 20, 20))
    return picture


def lamp(colour: tuple[int, int, int]) -> PILImage.Image:
    """Draw a small light on a grey box. Both colours have the same brightness."""
    picture = PILImage.new("RGB", (900, 600), (120, 122, 124))
    ImageDraw.Draw(picture).ellipse((700, 90, 716, 106), fill=colour)
    return picture


def stored(owner, content: bytes, name: str = "a.png") -> Image:
    image = upload(owner, content, name)
    analyse()
    image.refresh_from_db()
    return image


def measured(owner, one: bytes, other: bytes) -> float:
    return detail.difference(stored(owner, one, "a"), stored(owner, other, "b"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (form(), form("Olaf Smith")),
        (form(), form(day="12.08.1981")),
        (form(ink=(150, 150, 150)), form("Anna Smyth", ink=(150, 150, 150))),
        (form(size=(2480, 3508), font=50), form(size=(2480, 3508), font=50, day="12.08.1981")),
        (receipt("83.40"), receipt("88.40")),
        (
            page(["word " * 12] * 30, (1920, 1080), 15),
            page([*["word " * 12] * 29, "word " * 11 + "wood"], (1920, 1080), 15),
        ),
        (board(False), board(True)),
        (lamp((200, 40, 40)), lamp((40, 122, 40))),
    ],
    ids=["name", "one digit", "pale ink", "large scan", "receipt", "screen", "chess", "lamp"],
)
def test_one_other_sign_is_a_difference(one, other, alice):
    assert measured(alice, saved(one), saved(other)) > copies.MOST_DIFFERENCE
    worse = measured(alice, saved(one, "JPEG", quality=75), saved(other, "JPEG", quality=60))
    assert worse > copies.MOST_DIFFERENCE


@pytest.mark.parametrize(
    "picture",
    [
        PILImage.fromarray(photographs.astronaut()),
        PILImage.fromarray(photographs.coffee()),
        form(),
        receipt("83.40"),
        board(False),
    ],
    ids=["portrait", "still life", "form", "receipt", "chess"],
)
def test_what_was_made_smaller_or_compressed_is_none(picture, alice):
    def sized(share: float) -> PILImage.Image:
        size = (round(picture.width * share), round(picture.height * share))
        return picture.resize(size, PILImage.Resampling.LANCZOS)

    for copy in (
        saved(picture, "JPEG", quality=90),
        saved(picture, "JPEG", quality=70),
        saved(picture, "WEBP", quality=80),
        saved(sized(2 / 3), "JPEG", quality=70),
        saved(sized(0.95), "JPEG", quality=85),
        saved(sized(1 / 3), "JPEG", quality=75),
    ):
        assert measured(alice, saved(picture), copy) <= copies.MOST_DIFFERENCE


def test_what_is_read_is_bounded(alice, monkeypatch):
    tower = stored(alice, saved(PILImage.new("RGB", (700, 9000), "white")), "tower")
    assert detail._width_read(tower) == 480
    wide = stored(alice, saved(PILImage.new("RGB", (3000, 900), "white")), "wide")
    assert detail._width_read(wide) == 1280


# --- What the worker measures ----------------------------------------------------------


def alike(owner, *contents: bytes, **facts) -> list[Image]:
    images = [stored(owner, content, f"{number}") for number, content in enumerate(contents)]
    for number, one in enumerate(images):
        for other in images[number + 1 :]:
            link(one, other, bits=0, **{"difference": None, **facts})
    return images


def test_pairs_are_certain_once_their_details_are_seen(alice):
    original = PILImage.fromarray(photographs.coffee())
    alike(alice, saved(original), saved(original.resize((300, 200)), "JPEG", quality=70))
    assert duplicates.certain(alice) == []
    assert copies.waiting().exists()
    tasks.compare_copies()
    assert not copies.waiting().exists()
    assert len(duplicates.certain(alice)) == 1


def test_documents_are_never_certain(alice):
    alike(alice, saved(form()), saved(form(day="12.08.1981")))
    tasks.compare_copies()
    (group,) = duplicates.page(alice, None, 10)[0]
    assert not group.is_certain
    assert duplicates.merge_certain(alice).trashed == 0


def test_what_cannot_be_seen_is_not_certain(alice, bob):
    images = alike(alice, saved(form()), saved(form(day="12.08.1981")))
    for width in renditions.WIDTHS:
        renditions.default_storage.delete(renditions.rendition_path(images[0], width))
    Image.objects.filter(pk=images[0].pk).update(file="gone")
    tasks.compare_copies()
    assert NearDuplicate.objects.get().difference is None, "the file may come back"
    for width in renditions.WIDTHS:
        name = renditions.rendition_path(images[0], width)
        renditions.replace_stored(name, renditions.ContentFile(b"no picture"))
    tasks.compare_copies()
    assert NearDuplicate.objects.get().difference == float("inf")
    assert duplicates.certain(alice) == []


def test_others_pairs_and_those_told_apart_are_not_looked_at(alice, bob):
    one = stored(alice, saved(form()))
    link(one, stored(bob, saved(form())), bits=0, difference=None)
    two = alike(alice, saved(receipt("1")), saved(receipt("2")))
    NearDuplicate.objects.filter(first__in=two).update(dismissed_at=datetime.now(UTC))
    far = alike(alice, saved(board(False)), saved(board(True)))
    NearDuplicate.objects.filter(first__in=far).update(bits=copies.MOST_BITS + 1)
    assert not copies.waiting().exists()


def test_a_picture_without_a_date_hides_no_burst(alice):
    original = PILImage.fromarray(photographs.coffee())
    images = alike(
        alice, saved(original), saved(original, "JPEG"), saved(original, "WEBP"), difference=1.0
    )
    assert len(duplicates.certain(alice)) == 1
    largest, *shots = duplicates.certain(alice)[0].images
    for second, shot in enumerate(shots):
        moment = datetime(2024, 5, 3, 10, 0, second, tzinfo=UTC)
        Image.objects.filter(pk=shot.pk).update(captured_at=moment)
    assert Image.objects.get(pk=largest.pk).captured_at is None
    assert duplicates.certain(alice) == []
    assert len(images) == 3


# --- Colours of plain pictures --------------------------------------------------------


def gradient(start, end) -> PILImage.Image:
    share = np.linspace(0, 1, 300)[None, :, None]
    levels = np.array(start) * (1 - share) + np.array(end) * share
    return PILImage.fromarray(np.repeat(levels, 200, axis=0).astype("uint8"))


def plain(*colour: int) -> PILImage.Image:
    return PILImage.new("RGB", (300, 200), colour)


PHOTO = PILImage.fromarray(photographs.coffee())


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (plain(0, 0, 0), plain(0, 128, 0), True),
        (plain(0, 0, 0), plain(255, 255, 255), True),
        (plain(200, 30, 30), plain(30, 30, 200), True),
        (plain(60, 60, 60), plain(180, 180, 180), True),
        (gradient((0, 0, 0), (255, 0, 0)), gradient((0, 0, 0), (0, 0, 255)), True),
        (plain(0, 128, 0), plain(0, 129, 1), False),
        (gradient((0, 0, 0), (255, 0, 0)), gradient((0, 0, 0), (250, 5, 0)), False),
        (PHOTO, PHOTO.convert("L").convert("RGB"), False),
        (PHOTO, PHOTO.point(lambda level: level * 0.6), False),
    ],
)
def test_plain_pictures_are_told_apart_by_their_colours(one, other, apart, alice):
    space = make_space(dimensions=8)
    build_index(space)
    images = [stored(alice, saved(shown), f"{n}.png") for n, shown in enumerate((one, other))]
    Image.objects.update(perceptual_hash=0)
    for image in images:
        set_vector(image, space, np.eye(8)[0])
    assert analyse() == 2
    assert bool(pairs()) is not apart


def test_a_pair_that_was_stored_before_is_judged_again(alice):
    space = make_space(dimensions=8)
    build_index(space)
    images = [stored(alice, saved(plain(*colour))) for colour in ((0, 0, 0), (0, 128, 0))]
    link(*images)
    for image in images:
        set_vector(image, space, np.eye(8)[0])
    assert analyse() == 2
    assert pairs() == set()


def test_previews_are_read_as_they_are_shown():
    shown = previews.levels(rendition_pixels.placeholder(plain(200, 30, 30)))
    assert shown.shape == (20, 20, 3)
    assert np.abs(shown.mean(axis=(0, 1)) - (200, 30, 30)).max() < 8


def test_what_is_whole_is_kept_and_what_is_cut_off_never_alone(alice) -> None:
    """The truncated one has more bytes."""
    whole = Image(owner=alice, width=9, height=9, byte_size=1, incomplete=False)
    cut = Image(owner=alice, width=9, height=9, byte_size=2, incomplete=True)
    for number, image in enumerate((whole, cut)):
        image.created_at = datetime(2024, 1, 1 + number, tzinfo=UTC)

    assert max((whole, cut), key=duplicates._merit) is whole
    assert not copies.are_copies([cut, whole], [])


@pytest.mark.parametrize(("fractions", "same"), [((1, 2), False), ((1, 1), True), ((0, 2), True)])
def test_a_burst_may_be_of_fractions_of_a_second(fractions, same) -> None:
    images = [
        Image(captured_at=moment, taken_at=moment.replace(tzinfo=None), is_offset_known=False)
        for tenth in fractions
        for moment in [datetime(2024, 1, 1, 12, 0, 0, tenth * 100_000, UTC)]
    ]
    assert copies._same_time(images) is same


@pytest.mark.parametrize(("kind", "certain"), [("image/png", False), ("image/jpeg", True)])
def test_png_files_of_one_size_are_copies_only_without_a_difference(
    kind, certain, monkeypatch
) -> None:
    """A digit of 14 pixels on a screen of 3,440 pixels differs by 15 levels in renditions of
    1,280."""
    monkeypatch.setattr(copies, "_same_light", lambda *_images: True)
    one, other = (Image(width=9, height=9, content_type=kind, frames=1) for _each in range(2))
    pair = near_duplicates.Pair(one.pk, other.pk, similarity=1.0, bits=0, difference=15.0)

    assert copies.are_copies([one, other], [pair]) is certain
