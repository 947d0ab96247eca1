"""Adding, changing, deleting and restoring pictures, on a real disk and database."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from gallery.errors import Refusal
from gallery.library import service
from gallery.models import Image, User
from tests import pictures
from tests.factories import make_space, state_of
from tests.library_tools import add, stored_files

pytestmark = pytest.mark.django_db


# --- Adding ---------------------------------------------------------------------


def test_an_upload_is_kept_byte_for_byte_with_its_facts(
    alice: User, media: Path, dispatched: list[tuple[Any, ...]]
) -> None:
    data = pictures.with_gps()
    sha256 = hashlib.sha256(data).hexdigest()

    upload = add(
        alice, data, "holiday.jpg", title=" The lake ", description="a\r\nb", visibility="public"
    )

    image = Image.objects.get(pk=upload.image.pk)
    assert (upload.duplicate, upload.restored) == (False, False)
    assert image.file.name == f"originals/{alice.pk}/{sha256[:2]}/{sha256}.jpg"
    assert (media / image.file.name).read_bytes() == data
    assert (image.sha256, image.byte_size) == (sha256, len(data))
    assert (image.title, image.description, image.visibility) == ("The lake", "a\nb", "public")
    assert (image.original_name, image.content_type) == ("holiday.jpg", "image/jpeg")
    assert (image.width, image.height) == (64, 48)
    assert image.camera == "NIKON D850"
    assert image.exif["iso"] == 200
    assert image.latitude == pytest.approx(31.2293333)
    assert image.captured_at is not None
    # Without a space nothing is encoded.
    assert dispatched == [("gallery.tasks.analyse_pending",)]


def test_an_upload_enters_the_ledger_once_for_each_analyser(
    alice: User, dispatched: list[tuple[Any, ...]]
) -> None:
    active, building = make_space(), make_space("building", architecture="other")
    make_space("retired", architecture="former")

    image = add(alice, pictures.jpeg()).image

    rows = image.analyses.order_by("analyser")
    assert [row.analyser for row in rows] == [
        "comparison", f"encoding-{active.pk}", f"encoding-{building.pk}",
        "renditions", "visual_features",
    ]  # fmt: skip
    assert {(row.state, row.attempts, row.claim) for row in rows} == {("waiting", 0, None)}
    assert state_of(image) == "pending"
    assert sorted(dispatched) == [
        ("gallery.tasks.analyse_pending",),
        ("gallery.tasks.index_pending",),
    ]


def test_a_picture_without_a_title_does_not_show_its_file_name(alice: User) -> None:
    image = add(alice, pictures.jpeg(), "my secret.jpg").image

    assert image.title == ""
    assert "secret" not in image.display_title


@pytest.mark.parametrize("name", pictures.NASTY_NAMES)
def test_nasty_names_are_cleaned(alice: User, media: Path, name: str) -> None:
    image = add(alice, pictures.jpeg(), name).image

    image.refresh_from_db()
    assert image.original_name == pictures.NASTY_NAMES[name]
    assert stored_files(media) == [image.file.name]
    assert image.sha256 in image.file.name


@pytest.mark.parametrize(
    "draw",
    [
        pictures.one_pixel,
        pictures.panorama,
        pictures.float_tiff,
        pictures.multi_page_tiff,
        pictures.animated_gif,
        pictures.cmyk_jpeg,
        pictures.png_16_bit,
        pictures.palette_png_with_transparency,
        pictures.heic,
        pictures.avif,
        pictures.mpo,
        pictures.broken_exif,
    ],
)
def test_unusual_pictures_are_accepted(alice: User, draw: Callable[[], bytes]) -> None:
    upload = add(alice, draw())

    assert upload.image.pk is not None


@pytest.mark.parametrize(
    ("draw", "code"),
    [
        (pictures.empty, "empty_file"),
        (pictures.text, "not_a_picture"),
        (pictures.jpeg_header_only, "damaged_picture"),
        (pictures.png_bomb, "too_many_pixels"),
        (pictures.svg, "unsupported_format"),
    ],
)
def test_a_refused_file_leaves_nothing(
    alice: User, media: Path, draw: Callable[[], bytes], code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        add(alice, draw())

    assert caught.value.code == code
    assert not Image.objects.exists()
    assert stored_files(media) == []


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"title": "x" * 201}, "title_too_long", "title"),
        ({"description": "x" * 5001}, "description_too_long", "description"),
        ({"visibility": "friends"}, "bad_visibility", "visibility"),
    ],
)
def test_bad_texts_are_refused(
    alice: User, media: Path, fields: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        add(alice, pictures.jpeg(), **fields)

    assert (caught.value.code, caught.value.field) == (code, field)
    assert stored_files(media) == []


def test_texts_that_the_database_would_refuse_are_cleaned(alice: User) -> None:
    image = add(alice, pictures.jpeg(), title="a\x00b", description="c\x00\ud800d").image

    image.refresh_from_db()
    assert (image.title, image.description) == ("a b", "cd")


def test_a_broker_that_is_down_loses_nothing(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Celery("nobody listens", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("gallery.dispatch.current_app", app)
    started = time.monotonic()

    with django_capture_on_commit_callbacks(execute=True):
        upload = add(alice, pictures.jpeg())

    assert {row.state for row in upload.image.analyses.all()} == {"waiting"}
    assert "The broker is down" in caplog.text
    # The user does not wait for the broker.
    assert time.monotonic() - started < 3


# --- The same bytes again -------------------------------------------------------


def test_the_same_bytes_answer_with_the_existing_picture(alice: User, media: Path) -> None:
    data = pictures.jpeg()
    first = add(alice, data, title="First").image

    again = add(alice, data, "other name.jpg", title="Second")

    assert again.duplicate
    assert again.image.pk == first.pk
    assert again.image.title == "First"
    assert Image.objects.count() == 1
    assert stored_files(media) == [first.file.name]


def test_two_owners_of_the_same_bytes_know_nothing_of_each_other(alice: User, bob: User) -> None:
    data = pictures.jpeg()
    hers = add(alice, data).image

    his = add(bob, data)

    assert not his.duplicate
    assert his.image.pk != hers.pk
    assert his.image.file.name != hers.file.name
    service.purge_image(his.image)
    assert default_storage.exists(hers.file.name)


def test_the_same_bytes_bring_back_a_lost_file(alice: User, media: Path) -> None:
    data = pictures.jpeg()
    image = add(alice, data).image
    (media / image.file.name).unlink()

    again = add(alice, data)

    assert again.duplicate
    assert (media / image.file.name).read_bytes() == data


def test_the_same_bytes_restore_from_the_trash(
    alice: User, dispatched: list[tuple[Any, ...]]
) -> None:
    data = pictures.jpeg()
    image = add(alice, data, "old.jpg", title="Old").image
    service.delete_image(image)
    space = make_space()  # it did not exist when the picture was deleted
    dispatched.clear()

    upload = add(alice, data, "new.jpg", title="New", description="d", visibility="unlisted")

    assert (upload.duplicate, upload.restored) == (False, True)
    assert upload.image.pk == image.pk
    image.refresh_from_db()
    assert image.deleted_at is None
    assert (image.title, image.description, image.visibility) == ("New", "d", "unlisted")
    assert image.original_name == "new.jpg"
    assert image.analyses.filter(analyser=f"encoding-{space.pk}", state="waiting").exists()
    assert ("gallery.tasks.index_pending",) in dispatched


# --- Changing, trash, purge -----------------------------------------------------


def test_update_changes_what_is_given(alice: User) -> None:
    image = add(alice, pictures.jpeg(), title="Old", description="Old").image

    service.update_image(image, title="New")

    image.refresh_from_db()
    assert (image.title, image.description, image.visibility) == ("New", "Old", "private")
    with pytest.raises(Refusal):
        service.update_image(image, visibility="everyone")
    service.update_image(image, title="", visibility="public")
    image.refresh_from_db()
    assert (image.title, image.visibility) == ("", "public")


def test_a_refused_change_changes_nothing(alice: User) -> None:
    image = add(alice, pictures.jpeg(), title="Old").image

    with pytest.raises(Refusal):
        service.update_image(image, title="New", description="x" * 5001)

    assert image.title == "Old"
    image.refresh_from_db()
    assert image.title == "Old"


def test_deleted_pictures_are_gone_for_all_and_come_back(alice: User, bob: User) -> None:
    image = add(alice, pictures.jpeg(), visibility="public").image

    service.delete_image(image)

    for viewer in (alice, bob):
        assert not Image.objects.visible_to(viewer).exists()
        assert not Image.objects.reachable_by(viewer).exists()
    assert Image.objects.in_trash_of(alice).get() == image
    assert not Image.objects.in_trash_of(bob).exists()
    assert default_storage.exists(image.file.name)
    deleted_at = image.deleted_at
    service.delete_image(image)
    assert image.deleted_at == deleted_at

    service.restore_image(image)

    assert Image.objects.visible_to(bob).get() == image


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_the_trash_is_purged_when_its_time_has_come(alice: User, media: Path) -> None:
    kept = add(alice, pictures.jpeg(70, 70)).image
    fresh = add(alice, pictures.jpeg(80, 80)).image
    expired = add(alice, pictures.jpeg(90, 90)).image
    service.delete_image(fresh)
    service.delete_image(expired)
    Image.objects.filter(pk=expired.pk).update(deleted_at=timezone.now() - timedelta(days=31))

    assert service.purge_trash(timedelta(days=30)) == 1

    assert set(Image.objects.all()) == {kept, fresh}
    assert stored_files(media) == sorted([kept.file.name, fresh.file.name])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_a_purge_that_is_undone_keeps_the_files(alice: User) -> None:
    image = add(alice, pictures.jpeg()).image

    with transaction.atomic():
        service.purge_image(image)
        transaction.set_rollback(True)

    assert Image.objects.filter(pk=image.pk).exists()
    assert default_storage.exists(image.file.name)
