"""Smaller copies: their sizes, what they do not tell, and failures on the way."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageCms

from gallery.library import drawing, renditions, service
from gallery.library.renditions import (
    NoPreview,
    ensure_clean_copy,
    ensure_rendition,
    nearest_width,
    pending_renders,
    render,
    request_renditions,
    widths_of,
)
from gallery.library.storage import DurableFileSystemStorage, rendition_path
from gallery.models import Image, User
from tests import pictures
from tests.conftest import upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr("gallery.doorbell.ring", lambda *call: calls.append(call))
    return calls


def opened(name: str) -> Pillow.Image:
    with default_storage.open(name) as file:
        picture = Pillow.open(io.BytesIO(file.read()))
    picture.load()
    return picture


def rendered(owner: User, data: bytes) -> Image:
    image = upload(owner, data)
    render(image)
    image.refresh_from_db()
    return image


# --- What is made ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "made"),
    [
        (64, {320: 64}),
        (320, {320: 320}),
        (321, {320: 320, 640: 321}),
        (1000, {320: 320, 640: 640, 1280: 1000}),
        (3000, {320: 320, 640: 640, 1280: 1280, 2048: 2048}),
    ],
)
def test_widths_reach_the_picture_and_never_enlarge_it(
    alice: User, width: int, made: dict[int, int]
) -> None:
    image = rendered(alice, pictures.jpeg(width, width // 2))

    assert image.render_state == "ready"
    assert widths_of(image) == list(made)
    for nominal, real in made.items():
        picture = opened(rendition_path(image, nominal))
        assert picture.format == "WEBP"
        assert picture.size == (real, pytest.approx(real / 2, abs=1))
    for nominal in set(renditions.WIDTHS) - set(made):
        assert not default_storage.exists(rendition_path(image, nominal))


def test_the_next_larger_width_is_sent(alice: User) -> None:
    image = upload(alice, pictures.jpeg(1000, 500))

    assert [nearest_width(image, wanted) for wanted in (1, 320, 321, 1000, 5000)] == [
        320, 320, 640, 1280, 1280,
    ]  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "TIFF", "HEIF"])
def test_renditions_are_upright(alice: User, format_: str, orientation: int) -> None:
    image = rendered(alice, pictures.oriented(orientation, format_))

    for name in (rendition_path(image, 320), ensure_clean_copy(image)):
        picture = opened(name)
        assert picture.size == (64, 48)
        assert pictures.corner_names(picture) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_renditions_hold_no_metadata(alice: User, format_: str) -> None:
    image = rendered(alice, pictures.with_gps(format_))
    assert image.latitude is not None

    for name in (rendition_path(image, 320), ensure_clean_copy(image)):
        picture = opened(name)
        assert set(picture.info) <= {"background", "loop", "timestamp", "duration"}
        assert dict(picture.getexif()) == {}
        content = Path(default_storage.path(name)).read_bytes()
        assert b"NIKON" not in content
        assert b"EXIF" not in content


@pytest.mark.parametrize(
    "draw",
    [
        pictures.jpeg,
        pictures.cmyk_jpeg,
        pictures.mpo,
        pictures.png,
        pictures.webp,
        pictures.animated_webp,
        pictures.avif,
        pictures.heic,
        pictures.animated_gif,
        pictures.tiff,
        pictures.multi_page_tiff,
        pictures.bmp,
    ],
)
def test_every_kind_shows_its_first_frame(alice: User, draw: Callable[[], bytes]) -> None:
    image = rendered(alice, draw())

    picture = opened(rendition_path(image, 320))
    assert (picture.mode, picture.size) == ("RGB", (64, 48))
    assert pictures.corner_names(picture) == ["red", "green", "blue", "white"]


def test_transparency_lies_over_white(alice: User) -> None:
    image = rendered(alice, pictures.palette_png_with_transparency())

    picture = opened(rendition_path(image, 320))
    assert picture.getpixel((8, 24)) == pytest.approx((255, 255, 255), abs=6)
    assert picture.getpixel((56, 24)) == pytest.approx((0, 160, 0), abs=12)


@pytest.mark.parametrize("draw", [pictures.png_16_bit, pictures.float_tiff])
def test_deep_pictures_keep_their_range(alice: User, draw: Callable[[], bytes]) -> None:
    image = rendered(alice, draw())

    values = np.asarray(opened(rendition_path(image, 320)).convert("L"))
    assert values[:4].mean() < 30
    assert values[-4:].mean() > 225
    assert 110 < values.mean() < 145


@pytest.mark.parametrize(
    ("draw", "size", "full"),
    [
        (pictures.one_pixel, (1, 1), (1, 1)),
        (pictures.panorama, (2048, 5), (16_383, 41)),
        (pictures.tower, (41, 16_383), (41, 16_383)),
    ],
)
def test_extreme_shapes(
    alice: User, draw: Callable[[], bytes], size: tuple[int, int], full: tuple[int, int]
) -> None:
    image = rendered(alice, draw())

    assert image.render_state == "ready"
    assert opened(rendition_path(image, widths_of(image)[-1])).size == size
    assert opened(ensure_clean_copy(image)).size == full
    assert image.placeholder.startswith("data:image/webp;base64,")


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_applied(alice: User, format_: str) -> None:
    profile = pictures.profile_with_red_and_blue_exchanged()

    image = rendered(alice, pictures.saved(pictures.drawing(), format_, icc_profile=profile))

    picture = opened(rendition_path(image, 320))
    assert pictures.corner_names(picture) == ["blue", "green", "red", "white"]


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize(
    "profile",
    [
        b"junk" * 50,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()[:300],
    ],
    ids=["junk", "another colour space", "cut off"],
)
def test_an_unusable_colour_profile_is_ignored(alice: User, mode: str, profile: bytes) -> None:
    source = pictures.drawing().convert(mode)
    plain = rendered(alice, pictures.saved(source, "JPEG"))

    image = rendered(alice, pictures.saved(source, "JPEG", icc_profile=profile))

    found, wanted = (opened(rendition_path(each, 320)) for each in (image, plain))
    assert image.render_state == "ready"
    assert found.tobytes() == wanted.tobytes()


def test_the_placeholder_is_small_and_alike(alice: User) -> None:
    image = rendered(alice, pictures.jpeg(1200, 900))

    head, _, data = image.placeholder.partition(",")
    assert head == "data:image/webp;base64"
    assert len(image.placeholder) < 500
    tiny = Pillow.open(io.BytesIO(base64.b64decode(data)))
    assert max(tiny.size) <= 24
    assert pictures.corner_names(tiny) == ["red", "green", "blue", "white"]


def test_the_full_copy_keeps_the_size(alice: User) -> None:
    image = upload(alice, pictures.jpeg(3001, 2003))

    assert opened(ensure_clean_copy(image)).size == (3001, 2003)


# --- States ---------------------------------------------------------------------


def test_render_twice_does_no_harm(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    image = rendered(alice, pictures.jpeg())
    monkeypatch.setattr(drawing, "decode", None)  # a second round would fail

    render(image)

    image.refresh_from_db()
    assert (image.render_state, image.render_attempts) == ("ready", 0)


def test_a_picture_that_cannot_be_decoded_fails_with_its_reason(alice: User) -> None:
    image = upload(alice, pictures.jpeg(640, 480))
    Path(default_storage.path(image.file.name)).write_bytes(pictures.jpeg_header_only())

    render(image)

    image.refresh_from_db()
    assert (image.render_state, image.render_attempts) == ("failed", 1)
    assert "cannot be decoded" in image.render_error
    with pytest.raises(NoPreview) as caught:
        ensure_rendition(image, 320)
    assert (caught.value.status, caught.value.code) == (404, "no_preview")


def test_a_missing_file_fails_with_its_reason(alice: User) -> None:
    image = upload(alice, pictures.jpeg())
    default_storage.delete(image.file.name)

    render(image)

    image.refresh_from_db()
    assert image.render_state == "failed"
    assert "missing" in image.render_error


def test_a_full_disk_is_tried_three_times(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    image = upload(alice, pictures.jpeg())

    def full(name: str, content: Any) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(renditions, "replace_stored", full)
        states = []
        for _ in range(3):
            render(image)
            image.refresh_from_db()
            states.append((image.render_state, image.render_attempts))
    assert states == [("pending", 1), ("pending", 2), ("failed", 3)]
    assert image.render_error

    request_renditions(Image.objects.filter(pk=image.pk))
    render(image)

    image.refresh_from_db()
    assert (image.render_state, image.render_error) == ("ready", "")


def test_a_storage_that_recovers_is_forgiven(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    image = upload(alice, pictures.jpeg())

    def broken(storage: DurableFileSystemStorage, name: str, mode: str) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(DurableFileSystemStorage, "_open", broken)
        render(image)
    image.refresh_from_db()
    assert (image.render_state, image.render_attempts) == ("pending", 1)

    render(image)

    image.refresh_from_db()
    assert (image.render_state, image.render_error) == ("ready", "")


def test_requests_to_render_again_ring_for_each(alice: User, rings: list[tuple[Any, ...]]) -> None:
    images = [rendered(alice, pictures.jpeg(60 + n, 48)) for n in range(2)]
    rings.clear()

    assert request_renditions(Image.objects.filter(owner=alice)) == 2

    assert {args for _task, args in rings} == {str(image.pk) for image in images}
    assert not Image.objects.exclude(render_state="pending").exists()


def test_the_sweep_finds_what_is_overdue(alice: User) -> None:
    fresh = upload(alice, pictures.jpeg(61, 48))
    done = rendered(alice, pictures.jpeg(62, 48))
    tried = upload(alice, pictures.jpeg(63, 48))
    old = upload(alice, pictures.jpeg(64, 48))
    earlier = timezone.now() - timedelta(minutes=10)
    Image.objects.filter(pk__in=[done.pk, tried.pk, old.pk]).update(created_at=earlier)
    Image.objects.filter(pk=tried.pk).update(render_attempts=1)

    assert pending_renders(10) == [str(old.pk), str(tried.pk)]
    assert pending_renders(1) == [str(old.pk)]
    assert str(fresh.pk) not in pending_renders(10)


# --- Made when asked for --------------------------------------------------------


def test_a_rendition_is_made_when_it_is_missing(alice: User) -> None:
    image = upload(alice, pictures.jpeg(1000, 500))

    name = ensure_rendition(image, 600)

    assert name == rendition_path(image, 640)
    assert opened(name).size == (640, 320)
    assert not default_storage.exists(rendition_path(image, 320))
    image.refresh_from_db()
    assert image.render_state == "pending"  # the worker still makes the rest


def test_a_rendition_that_exists_is_not_made_again(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = rendered(alice, pictures.jpeg(1000, 500))
    monkeypatch.setattr(drawing, "decode", None)

    assert ensure_rendition(image, 9999) == rendition_path(image, 1280)


# --- Gone meanwhile -------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_picture_purged_before_is_no_error(alice: User) -> None:
    image = upload(alice, pictures.jpeg())
    service.purge_image(image)

    render(image)

    assert list(Path(default_storage.path("")).rglob("*.webp")) == []


@pytest.mark.django_db(transaction=True)
def test_a_picture_purged_meanwhile_leaves_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = upload(alice, pictures.jpeg(1000, 500))
    encode = drawing.webp

    def purge_then_encode(picture: Pillow.Image, width: int | None) -> bytes:
        service.purge_image(image)
        return encode(picture, width)

    monkeypatch.setattr(drawing, "webp", purge_then_encode)

    render(image)

    assert not Image.objects.exists()
    media = Path(default_storage.path(""))
    assert [path for path in media.rglob("*") if path.is_file()] == []


@pytest.mark.django_db(transaction=True)
def test_a_purge_takes_every_rendition(alice: User) -> None:
    image = rendered(alice, pictures.jpeg(1000, 500))
    ensure_clean_copy(image)

    service.purge_image(image)

    left = [name for _, _, files in os.walk(default_storage.path("")) for name in files]
    assert left == []


def test_a_picture_in_the_trash_can_still_be_shown_there(alice: User) -> None:
    image = upload(alice, pictures.jpeg())
    service.delete_image(image)

    render(image)

    image.refresh_from_db()
    assert image.render_state == "ready"
