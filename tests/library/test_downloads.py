"""Downloads: their owners, their content, and missing files."""

from __future__ import annotations

import io
import struct
import uuid
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture
from PIL.ExifTags import Base
from rest_framework.test import APIClient

from gallery.library.renditions import rendition_path
from gallery.library.storage import original_of
from gallery.models import AlbumShare, Change, Download, Image
from gallery.organising import albums, downloads
from gallery.organising.archive import LEFT_OUT, Archive
from gallery.organising.zip_names import UniqueNames, safe_name, text_in_place_of
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

DOWNLOADS = "/api/v1/downloads/"


def ask(user, images, status: int = 201):
    body = {"selection": {"ids": [str(image.pk) for image in images]}}
    answer = api(user).post(DOWNLOADS, body)
    assert answer.status_code == status, answer.content
    return answer.json()


def fetch(user, asked) -> tuple[zipfile.ZipFile, int | None]:
    answer = api(user).get(asked["url"])
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "application/zip"
    content = answer.getvalue()
    length = answer.headers.get("Content-Length")
    if length is not None:
        assert int(length) == len(content)
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive, None if length is None else int(length)


def read_archive(archive: Archive) -> zipfile.ZipFile:
    content = b"".join(archive)
    if archive.length is not None:
        assert len(content) == archive.length
    opened = zipfile.ZipFile(io.BytesIO(content))
    assert opened.testzip() is None
    return opened


@pytest.fixture
def images(alice):
    return [
        upload(alice, draw(colour=colour), name=f"{colour}.jpg")
        for colour in ("red", "green", "blue")
    ]


def test_own_pictures_come_as_they_were_uploaded_with_a_known_length(alice, images):
    asked = ask(alice, images)
    assert (asked["count"], asked["bytes"]) == (3, sum(image.byte_size for image in images))
    archive, length = fetch(alice, asked)
    assert length is not None
    assert archive.namelist() == ["red.jpg", "green.jpg", "blue.jpg"]
    assert archive.read("green.jpg") == draw(colour="green")
    assert fetch(alice, asked)[0].namelist() == archive.namelist()  # and once more


def test_others_get_clean_copies_under_names_that_tell_nothing(alice, bob):
    image = upload(alice, pictures.with_gps(), name="at home.jpg", visibility="public")
    mine = upload(bob, draw(colour="navy"), name="mine.jpg")
    archive, length = fetch(bob, ask(bob, [image, mine]))
    assert length is None
    assert sorted(archive.namelist()) == sorted([f"{image.pk}.webp", "mine.jpg"])
    with Picture.open(io.BytesIO(archive.read(f"{image.pk}.webp"))) as copy:
        assert copy.format == "WEBP"
        assert not copy.getexif()


def test_an_album_is_downloaded_in_its_order_under_its_name(alice, bob, images):
    album = albums.create(alice, "Trip: 海/山")
    albums.add_images(album, Image.objects.all(), alice)
    albums.move(album, [images[2].pk], images[0].pk, alice)
    AlbumShare.objects.create(album=album, user=bob, role="view")
    answer = api(alice).post(DOWNLOADS, {"album": str(album.pk)})
    assert fetch(alice, answer.json())[0].namelist() == ["blue.jpg", "red.jpg", "green.jpg"]
    disposition = api(alice).get(answer.json()["url"]).headers["Content-Disposition"]
    assert disposition == "attachment; filename*=utf-8''Trip_%20%E6%B5%B7_%E5%B1%B1.zip"
    to_bob = api(bob).post(DOWNLOADS, {"album": str(album.pk)}).json()
    assert all(name.endswith(".webp") for name in fetch(bob, to_bob)[0].namelist())


def test_a_download_is_for_who_asked_for_it(alice, bob, images):
    asked = ask(alice, images)
    for client in (api(bob), APIClient()):
        for method in ("get", "head", "post", "delete"):
            there = getattr(client, method)(asked["url"])
            nowhere = getattr(client, method)(f"{DOWNLOADS}{uuid.uuid4()}/")
            assert there.status_code == nowhere.status_code == 404
            assert there.content == nowhere.content


def test_an_act_is_no_download_and_a_download_no_act(alice, images):
    asked = ask(alice, images)
    assert api(alice).post(f"/api/v1/changes/{asked['id']}/undo/").status_code == 404
    body = {"action": "archive", "selection": {"ids": [str(images[0].pk)]}}
    api(alice).post("/api/v1/images/bulk/", body)
    change = Change.objects.get(action="archive")
    assert api(alice).get(f"{DOWNLOADS}{change.pk}/").status_code == 404


def test_a_download_is_kept_for_an_hour(alice, images):
    asked = ask(alice, images)
    Download.objects.update(created_at=timezone.now() - timedelta(hours=1, seconds=1))
    answer = api(alice).get(asked["url"])
    assert (answer.status_code, code_of(answer)) == (410, "download_expired")
    assert downloads.forget_old() == 1
    assert api(alice).get(asked["url"]).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({}, "selection_or_album", "selection"),
        ({"selection": {"ids": []}}, "nothing_to_download", "selection"),
        ({"selection": {"ids": [str(uuid.UUID(int=1))]}}, "nothing_to_download", "selection"),
        ({"selection": "all"}, "bad_selection", "selection"),
        ({"album": str(uuid.UUID(int=1))}, "unknown_album", "album"),
        ({"album": "trip"}, "invalid", "album"),
    ],
)
def test_what_cannot_be_downloaded_is_said(body, code, attr, alice):
    answer = api(alice).post(DOWNLOADS, body)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["attr"]) == (400, code, attr)


def test_pictures_of_others_that_one_does_not_see_are_not_in_it(alice, bob, images):
    ask(bob, images, status=400)
    asked = ask(bob, [*images, upload(bob)])
    assert asked["count"] == 1


def test_the_anonymous_download_nothing(alice):
    image = upload(alice, visibility="public")
    body = {"selection": {"ids": [str(image.pk)]}}
    assert APIClient().post(DOWNLOADS, body).status_code == 401


# --- When something is missing ---------------------------------------------------------


def test_a_file_that_is_missing_beforehand_is_listed(alice, images, media):
    (media / original_of(images[1])).unlink()
    archive, length = fetch(alice, ask(alice, images))
    assert length is not None
    assert archive.namelist() == ["red.jpg", "blue.jpg", LEFT_OUT]
    assert "green.jpg" in archive.read(LEFT_OUT).decode()


def test_a_file_that_goes_missing_meanwhile_is_told_of_in_its_place(alice, images, media):
    archive = Archive([image.pk for image in images], alice)
    (media / original_of(images[1])).unlink()
    opened = read_archive(archive)
    assert opened.namelist() == ["red.jpg", "green.txt", "blue.jpg"]
    assert opened.read("green.txt").startswith(b"green.jpg: ")


def test_a_damaged_file_is_no_picture(alice, images, media):
    (media / original_of(images[0])).write_bytes(b"short")
    archive, _length = fetch(alice, ask(alice, images))
    assert archive.namelist() == ["green.jpg", "blue.jpg", LEFT_OUT]


def test_rights_are_asked_again_for_each_picture(alice, bob):
    shared = [
        upload(alice, draw(colour=colour), visibility="public") for colour in ("red", "green")
    ]
    parts = iter(Archive([image.pk for image in shared], bob))
    content = [next(parts)]
    Image.objects.filter(pk=shared[1].pk).update(visibility="private")
    content += parts
    opened = zipfile.ZipFile(io.BytesIO(b"".join(content)))
    assert opened.namelist() == [f"{shared[0].pk}.webp", LEFT_OUT]
    assert str(shared[1].pk) in opened.read(LEFT_OUT).decode()


def test_a_copy_that_cannot_be_made_is_listed(alice, bob, media):
    broken, fine = (
        upload(alice, draw(colour=colour), visibility="public") for colour in ("red", "green")
    )
    (media / original_of(broken)).write_bytes(b"no picture")
    archive, _length = fetch(bob, ask(bob, [broken, fine]))
    assert archive.namelist() == [f"{fine.pk}.webp", LEFT_OUT]
    assert str(broken.pk) in archive.read(LEFT_OUT).decode()
    assert (media / rendition_path(fine, None)).exists()


# --- Names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cat.jpg", "cat.jpg"),
        ("猫.JPG", "猫.JPG"),
        ("", "_.jpg"),
        ("...", "_.jpg"),
        ("../../etc/passwd", "_.._etc_passwd.jpg"),
        ("..\\..\\x.jpg", "_.._x.jpg"),
        ("C:\\x.jpg", "C__x.jpg"),
        ("con.jpg", "picture-con.jpg"),
        ("LPT1.tar.jpg", "picture-LPT1.tar.jpg"),
        ("nul", "picture-nul.jpg"),
        ("a.b", "picture-a.b"),
        ("x. .jpg", "x.jpg"),
        (".htaccess", "htaccess.jpg"),
    ],
)
def test_names_are_safe_everywhere(name, safe):
    assert safe_name(name, ".jpg") == safe


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), max_size=30))
def test_any_names_are_safe_and_unique(names):
    unique = UniqueNames()
    made = [unique.unique(safe_name(name, ".jpg")) for name in names]
    assert len({name.casefold() for name in made}) == len(names)
    for name in made:
        assert not set(name) & set('/\\:*?"<>|\x00')
        assert name not in {"", ".", ".."}
        assert len(name.encode()) <= 255
        assert name == name.strip(" .")
        text = text_in_place_of(name)
        assert len(text.encode()) == len(name.encode())
        assert text.endswith(".txt")


def test_two_pictures_of_one_name_are_two_files(alice):
    images = [upload(alice, draw(colour=colour), name=name) for colour, name in [
        ("red", "IMG.jpg"), ("green", "img.JPG"), ("blue", "IMG.jpg"), ("navy", LEFT_OUT + ".jpg"),
    ]]  # fmt: skip
    archive, _length = fetch(alice, ask(alice, images))
    assert archive.namelist() == ["IMG.jpg", "img (2).JPG", "IMG (3).jpg", "left-out.txt.jpg"]


# --- Dates of entries ---------------------------------------------------------------------


def dated(owner, when: str, offset: str, **fields) -> Image:
    photo = {Base.DateTimeOriginal: when, Base.OffsetTimeOriginal: offset}
    return upload(owner, pictures.jpeg(exif=pictures.exif_block(photo=photo)), **fields)


def dates(archive: zipfile.ZipFile) -> list[tuple[int, ...]]:
    """Return the dates in the final list, and those of the entries."""
    for entry in archive.infolist():
        archive.fp.seek(entry.header_offset + 10)
        time, day = struct.unpack("<HH", archive.fp.read(4))
        assert entry.date_time == (
            *(1980 + (day >> 9), day >> 5 & 15, day & 31),
            *(time >> 11, time >> 5 & 63, time % 32 * 2),
        )
    return [entry.date_time for entry in archive.infolist()]


def test_files_are_dated_when_they_were_taken_by_the_clocks_there(alice, bob):
    """A ZIP file stores times in steps of two seconds."""
    image = dated(alice, "1998:12:30 22:04:21", "+13:00", visibility="public")
    for who in (alice, bob):
        assert dates(fetch(who, ask(who, [image]))[0]) == [(1998, 12, 30, 22, 4, 20)]


def test_dates_that_a_zip_file_cannot_hold_are_brought_into_its_range(alice):
    image = dated(alice, "1950:12:30 22:04:20", "+00:00")
    assert dates(fetch(alice, ask(alice, [image]))[0]) == [(1980, 1, 1, 0, 0, 0)]


def test_files_without_a_date_have_that_of_their_upload(alice):
    image = upload(alice)
    Image.objects.update(created_at=datetime(2023, 5, 6, 7, 8, 10, tzinfo=UTC))
    assert dates(fetch(alice, ask(alice, [image]))[0]) == [(2023, 5, 6, 7, 8, 10)]


def test_an_album_and_what_is_missing_from_it(alice):
    made = [dated(alice, f"2005:06:0{day} 10:00:00", "+02:00") for day in (1, 2)]
    album = albums.create(alice, "Trip")
    albums.add_images(album, Image.objects.all(), alice)
    asked = api(alice).post(DOWNLOADS, {"album": str(album.pk)}).json()
    default_storage.delete(original_of(made[1]))
    archive, _length = fetch(alice, asked)
    assert archive.namelist()[-1] == LEFT_OUT
    assert dates(archive)[0] == (2005, 6, 1, 10, 0, 0)
