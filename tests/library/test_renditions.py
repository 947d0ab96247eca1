"""Smaller copies: their sizes, the metadata that they do not have, and failures."""

from __future__ import annotations

import base64
import errno
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageCms

from gallery import sweep
from gallery.library import rendering, rendition_pixels, renditions, service, visual_features
from gallery.library.renditions import (
    NoPreview,
    ensure_clean_copy,
    ensure_rendition,
    nearest_width,
    widths_of,
)
from gallery.library.storage import DurableFileSystemStorage, original_of, rendition_path
from gallery.models import Analysis, Image, Outage, User
from gallery.pixels import places
from gallery.retryable import can_pass
from gallery.work import ledger, originals
from gallery.work.analyser import Resource
from tests import pictures
from tests.conftest import upload, wait_for
from tests.factories import analyse
from tests.library_tools import stored_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dispatched")]


def opened(name: str) -> Pillow.Image:
    with default_storage.open(name) as file:
        picture = Pillow.open(io.BytesIO(file.read()))
    picture.load()
    return picture


def rendered(owner: User, data: bytes) -> Image:
    image = upload(owner, data)
    analyse()
    image.refresh_from_db()
    return image


def row_of(image: Image) -> Analysis:
    return image.analyses.get(analyser=renditions.ANALYSER)


# --- What is made ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "made"),
    [
        (64, {320: 64}),
        (320, {320: 320}),
        (321, {320: 320, 480: 321}),
        (1000, {320: 320, 480: 480, 640: 640, 1280: 1000}),
        (3000, {320: 320, 480: 480, 640: 640, 1280: 1280, 2048: 2048}),
    ],
)
def test_widths_reach_the_picture_and_never_enlarge_it(
    alice: User, width: int, made: dict[int, int]
) -> None:
    image = rendered(alice, pictures.jpeg(width, width // 2))

    assert row_of(image).state == "done"
    assert widths_of(image) == list(made)
    for nominal, real in made.items():
        picture = opened(rendition_path(image, nominal))
        assert picture.format == "WEBP"
        assert picture.size == (real, pytest.approx(real / 2, abs=1))
    for nominal in set(renditions.WIDTHS) - set(made):
        assert not default_storage.exists(rendition_path(image, nominal))


def test_the_next_larger_width_is_sent(alice: User) -> None:
    image = upload(alice, pictures.jpeg(1000, 500))

    assert [nearest_width(image, wanted) for wanted in (1, 320, 321, 481, 1000, 5000)] == [
        320, 320, 480, 640, 1280, 1280,
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

    assert row_of(image).state == "done"
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
    assert row_of(image).state == "done"
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


def test_what_is_done_is_not_done_again(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    image = rendered(alice, pictures.jpeg())
    monkeypatch.setattr(rendition_pixels, "decode", None)  # a second round would fail

    assert analyse() == 0

    assert (row_of(image).state, row_of(image).reason) == ("done", "")


def test_a_picture_that_cannot_be_decoded_fails_with_its_reason(alice: User) -> None:
    image = upload(alice, pictures.jpeg(640, 480))
    Path(default_storage.path(original_of(image))).write_bytes(pictures.jpeg_header_only())

    analyse()

    row = row_of(image)
    assert (row.state, row.attempts, row.reason_code) == ("failed", 1, "damaged")
    assert row.sentence == rendering.DAMAGED
    with pytest.raises(NoPreview) as caught:
        ensure_rendition(image, 320)
    assert (caught.value.status, caught.value.code) == (404, "no_preview")


def test_what_is_made_of_renditions_fails_with_them_and_comes_back(alice: User) -> None:
    image = upload(alice, pictures.jpeg())
    path = Path(default_storage.path(original_of(image)))
    whole = path.read_bytes()
    path.write_bytes(pictures.jpeg_header_only())
    analyse()
    Analysis.objects.update(not_before=None)  # the next attempt is some minutes later
    analyse()
    later = image.analyses.get(analyser="visual_features")
    assert (later.state, later.reason_code) == ("failed", "needs")

    path.write_bytes(whole)
    assert ledger.retry_failed(Image.objects.filter(pk=image.pk)) == 2
    analyse()

    assert {row.state for row in image.analyses.all()} == {"done"}


@pytest.mark.django_db(transaction=True)
def test_missing_files_fail_with_their_reason_and_alone(alice: User) -> None:
    *lost, last = several(alice)
    for image in lost:
        default_storage.delete(original_of(image))

    analyse()

    for row in map(row_of, lost):
        assert (row.state, row.attempts, row.reason_code) == ("failed", 1, "original_missing")
        assert row.sentence == originals.MISSING
    assert_all_done([last])


def test_requests_to_render_again_ring_once(alice: User, dispatched: list[tuple[Any, ...]]) -> None:
    images = [rendered(alice, pictures.jpeg(60 + n, 48)) for n in range(2)]
    dispatched.clear()

    ledger.requeue([image.pk for image in images], rendering.analysers())

    assert dispatched == [("gallery.tasks.analyse_pending",)]
    assert [row_of(image).state for image in images] == ["waiting", "waiting"]
    assert analyse() == 4, "and what they look like with them"


def test_the_sweep_finds_what_waits(alice: User) -> None:
    rendered(alice, pictures.jpeg(61, 48))
    assert ledger.TASKS[Resource.PROCESSOR] not in sweep.waiting()
    upload(alice, pictures.jpeg(62, 48))
    assert ledger.TASKS[Resource.PROCESSOR] in sweep.waiting()


# --- While the storage is away ----------------------------------------------------


@contextmanager
def broken(error: BaseException, *methods: str) -> Iterator[list[str]]:
    """Let these methods of the storage raise. Return the names that they are called with."""
    asked: list[str] = []

    def raising(storage: DurableFileSystemStorage, name: str, *rest: Any) -> None:
        asked.append(name)
        raise error

    with pytest.MonkeyPatch.context() as patch:
        for method in methods:
            patch.setattr(DurableFileSystemStorage, method, raising)
        yield asked


def it_is_time_to_ask() -> None:
    Outage.objects.update(ask_at=timezone.now())


def outages() -> list[str]:
    return sorted(Outage.objects.values_list("thing", flat=True))


def assert_nobody_paid(images: list[Image]) -> None:
    for row in Analysis.objects.filter(image__in=images):
        assert (row.state, row.attempts, row.claim) == ("waiting", 0, None), row


def assert_all_done(images: list[Image]) -> None:
    assert outages() == []
    for row in Analysis.objects.filter(image__in=images):
        assert (row.state, row.attempts) == ("done", 1), vars(row)
    for image in images:
        for width in widths_of(image):
            assert default_storage.exists(rendition_path(image, width))


def several(owner: User) -> list[Image]:
    return [upload(owner, pictures.jpeg(60 + n, 48)) for n in range(5)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("methods", [("_open",), ("_open", "exists"), ("_open", "exists", "_save")])
def test_a_storage_that_is_away_for_long_fails_no_picture(
    alice: User, methods: tuple[str, ...]
) -> None:
    images = several(alice)
    with broken(OSError(5, "Input/output error"), *methods):
        for _again in range(2 * ledger.MAX_ATTEMPTS):
            assert analyse() == 0
            assert outages() == ["storage"]
            assert_nobody_paid(images)
            it_is_time_to_ask()

    analyse()

    assert_all_done(images)


@pytest.mark.django_db(transaction=True)
def test_nobody_asks_a_storage_that_is_away_until_it_is_time(alice: User) -> None:
    images = several(alice)
    with broken(OSError(5, "Input/output error"), "_open", "exists") as asked:
        analyse()
        asked.clear()
        for _again in range(5):
            assert analyse() == 0
        assert asked == []
        assert_nobody_paid(images)


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_is_empty_is_away(alice: User, media: Path) -> None:
    """A disk that is not mounted has no originals at all."""
    images = several(alice)
    elsewhere = media.with_name("elsewhere")
    shutil.move(media, elsewhere)
    media.mkdir()
    for _again in range(2 * ledger.MAX_ATTEMPTS):
        assert analyse() == 0
        assert outages() == ["storage"]
        assert_nobody_paid(images)
        it_is_time_to_ask()

    shutil.rmtree(media)
    shutil.move(elsewhere, media)
    analyse()

    assert_all_done(images)


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_hangs_is_away_and_not_asked_by_ever_more_threads(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = several(alice)
    comes_back = threading.Event()
    opened_by = DurableFileSystemStorage._open

    def hanging(storage: DurableFileSystemStorage, name: str, mode: str = "rb") -> Any:
        comes_back.wait(60)
        return opened_by(storage, name, mode)

    monkeypatch.setattr(DurableFileSystemStorage, "_open", hanging)
    monkeypatch.setattr(originals, "READ_SECONDS", 0.3)
    monkeypatch.setattr(originals, "PROBE_SECONDS", 0.3)
    try:
        analyse()
        asking = threading.active_count()
        for _again in range(ledger.MAX_ATTEMPTS):
            it_is_time_to_ask()
            assert analyse() == 0
            assert outages() == ["storage"]
            assert_nobody_paid(images)
        assert threading.active_count() <= asking + 1
    finally:
        comes_back.set()
    monkeypatch.undo()
    wait_for(lambda: threading.active_count() < asking, what="no thread hangs any more")

    def goes_on() -> bool:
        it_is_time_to_ask()
        analyse()
        return outages() == []

    # On a busy machine the first answer may come too late.
    wait_for(goes_on, what="the storage is asked again")
    assert_all_done(images)


@pytest.mark.django_db(transaction=True)
def test_reading_continues_when_nothing_can_be_written(alice: User) -> None:
    known = rendered(alice, pictures.jpeg(300, 200))
    ledger.requeue([known.pk], visual_features.analysers())
    images = several(alice)
    with broken(OSError(28, "No space left on device"), "_save"):
        for _again in range(2 * ledger.MAX_ATTEMPTS):
            analyse()
            assert outages() == ["storage-writes"]
            assert_nobody_paid(images)
            it_is_time_to_ask()
        assert known.analyses.get(analyser="visual_features").state == "done"

    analyse()

    assert_all_done(images)


@pytest.mark.django_db(transaction=True)
def test_a_disk_with_room_for_little_is_full(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes can be written, and renditions still do not fit."""
    images = several(alice)
    save = DurableFileSystemStorage._save

    def saved(storage: DurableFileSystemStorage, name: str, content: Any) -> str:
        if content.size > 100:
            raise OSError(28, "No space left on device")
        return save(storage, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(DurableFileSystemStorage, "_save", saved)
        analyse()
        assert outages() == ["storage-writes"]
        assert_nobody_paid(images)
    it_is_time_to_ask()

    analyse()

    assert_all_done(images)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOMEM, errno.EMFILE])
def test_a_server_without_room_to_decode_fails_no_picture(
    alice: User, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Separate processes decode large pictures. They read them from a file."""
    images = several(alice)
    monkeypatch.setattr(places, "SMALL_BYTES", 0)

    def no_room() -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("gallery.pixels.isolation.tempfile.TemporaryFile", no_room)
        for _again in range(2 * ledger.MAX_ATTEMPTS):
            assert analyse() == 0
            assert_nobody_paid(images)
            Analysis.objects.update(not_before=None)

    analyse()

    assert_all_done(images)


@pytest.mark.django_db(transaction=True)
def test_one_file_that_cannot_be_read_is_no_outage(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad sector of a disk is an example. The file is tried again later, and work on the others
    continues."""
    bad, *others = several(alice)
    opened_by = DurableFileSystemStorage._open

    def reading(storage: DurableFileSystemStorage, name: str, mode: str = "rb") -> Any:
        if name == original_of(bad):
            raise OSError(5, "Input/output error")
        return opened_by(storage, name, mode)

    monkeypatch.setattr(DurableFileSystemStorage, "_open", reading)
    for attempt in range(1, ledger.MAX_ATTEMPTS + 1):
        analyse()
        row = row_of(bad)
        assert (row.attempts, row.reason_code) == (attempt, "storage")
        assert row.state == ("failed" if attempt == ledger.MAX_ATTEMPTS else "waiting")
        Analysis.objects.filter(image=bad).update(not_before=None)

    assert_all_done(others)
    assert can_pass(row_of(bad).reason_code), "the owner may try again"


# --- Made when asked for --------------------------------------------------------


def test_a_rendition_is_made_when_it_is_missing(alice: User) -> None:
    image = upload(alice, pictures.jpeg(1000, 500))

    name = ensure_rendition(image, 600)

    assert name == rendition_path(image, 640)
    assert opened(name).size == (640, 320)
    assert not default_storage.exists(rendition_path(image, 320))
    assert row_of(image).state == "waiting"  # the worker still makes the rest


def test_a_rendition_that_exists_is_not_made_again(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = rendered(alice, pictures.jpeg(1000, 500))
    monkeypatch.setattr(rendition_pixels, "decode", None)

    assert ensure_rendition(image, 9999) == rendition_path(image, 1280)


# --- Gone meanwhile -------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_picture_purged_before_is_no_error(alice: User, media: Path) -> None:
    image = upload(alice, pictures.jpeg())
    service.purge_image(image)

    assert analyse() == 0

    assert stored_files(media) == []
    assert not Analysis.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["webp", "placeholder"])
def test_a_picture_purged_meanwhile_leaves_nothing(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The purge comes before its renditions are written, or after."""
    image, other = upload(alice, pictures.jpeg(1000, 500)), upload(alice, pictures.jpeg(50, 40))
    work = getattr(rendition_pixels, step)
    purged = threading.Lock()

    def purge_and_go_on(picture: Pillow.Image, *rest: Any) -> Any:
        if purged.acquire(blocking=False):
            service.purge_image(image)
        return work(picture, *rest)

    monkeypatch.setattr(rendition_pixels, step, purge_and_go_on)

    analyse()

    assert Image.objects.get() == other
    assert row_of(other).state == "done"
    assert stored_files(media) == sorted([original_of(other), rendition_path(other, 320)])


@pytest.mark.django_db(transaction=True)
def test_a_picture_purged_while_the_storage_fails_leaves_nothing(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = upload(alice, pictures.jpeg(1000, 500))
    save = DurableFileSystemStorage._save

    def save_one(storage: DurableFileSystemStorage, name: str, content: Any) -> str:
        if not name.endswith("-1280.webp"):
            raise OSError(28, "No space left on device")
        service.purge_image(image)
        return save(storage, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(DurableFileSystemStorage, "_save", save_one)
        analyse()

    assert stored_files(media) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [None, "webp"])
def test_who_asks_for_a_picture_that_is_being_purged_is_told_that_it_is_gone(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch, step: str | None
) -> None:
    """The storage is not down: the picture is purged before or while its thumbnail is drawn."""
    image = upload(alice, pictures.jpeg(1000, 500))
    if step is None:
        service.purge_image(Image.objects.get(pk=image.pk))
    else:
        work = getattr(rendition_pixels, step)

        def purge_and_go_on(picture: Pillow.Image, *rest: Any) -> Any:
            service.purge_image(Image.objects.get(pk=image.pk))
            return work(picture, *rest)

        monkeypatch.setattr(rendition_pixels, step, purge_and_go_on)
    with pytest.raises(NoPreview):
        ensure_rendition(image, 320)
    assert stored_files(media) == []


@pytest.mark.django_db(transaction=True)
def test_a_purge_takes_every_rendition(alice: User, media: Path) -> None:
    image = rendered(alice, pictures.jpeg(1000, 500))
    ensure_clean_copy(image)

    service.purge_image(image)

    assert stored_files(media) == []


def test_a_picture_in_the_trash_can_still_be_shown_there(alice: User) -> None:
    image = upload(alice, pictures.jpeg())
    service.delete_image(image)

    assert analyse() == 0, "workers have better things to do"
    assert opened(ensure_rendition(image, 320)).size == (64, 48)

    service.restore_image(image)
    analyse()
    assert row_of(image).state == "done"
