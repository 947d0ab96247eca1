"""The export contains each original unchanged, under its name, and all known facts."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL.ExifTags import Base

from gallery.accounts import export_records
from gallery.accounts.export import DESCRIPTION, MISSING, export_account
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Favourite,
    Group,
    Image,
    ShareLink,
    Tag,
    User,
)
from tests import pictures
from tests.conftest import api, draw, upload
from tests.web_tools import browser, confirmed

pytestmark = pytest.mark.django_db

EXPORT = "/api/v1/account/export/"


def unpacked(response: Any) -> zipfile.ZipFile:
    """Return the archive. It has the announced length and no damage."""
    content = b"".join(response.streaming_content)
    assert int(response["Content-Length"]) == len(content)
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def told(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read(DESCRIPTION))
    return found


def test_originals_come_back_byte_for_byte_under_their_names(alice: User, bob: User) -> None:
    red, blue = draw(colour="red"), draw(colour="blue")
    upload(alice, red, name="Am Strand.jpg")
    upload(alice, blue, name="日落.jpg", visibility="public")
    upload(bob, draw(colour="green"), name="secret.jpg", visibility="public")
    archive = unpacked(api(alice).get(EXPORT))
    names = ["pictures/Am Strand.jpg", "pictures/日落.jpg", DESCRIPTION]
    assert archive.namelist() == names
    assert [archive.read(name) for name in names[:2]] == [red, blue]


def test_files_are_dated_when_they_were_taken(alice: User) -> None:
    photo = {Base.DateTimeOriginal: "1998:12:30 22:04:20", Base.OffsetTimeOriginal: "+13:00"}
    upload(alice, pictures.jpeg(exif=pictures.exif_block(photo=photo)))
    archive = unpacked(api(alice).get(EXPORT))
    assert archive.infolist()[0].date_time == (1998, 12, 30, 22, 4, 20)
    (row,) = told(archive)["pictures"]
    assert row["captured_at"] == "1998-12-30T09:04:20Z"
    assert (row["taken_at"], row["captured_offset"]) == ("1998-12-30T22:04:20", "+13:00")
    assert (row["frames"], row["duration"]) == (1, None)


def test_names_are_unique_whatever_the_system(alice: User) -> None:
    for name, colour in (
        ("a.jpg", "red"),
        ("A.JPG", "blue"),
        ("a.jpg", "green"),
        ("a (2).jpg", "gold"),
        ('b<c>:"d|?*.jpg', "navy"),
        ("", "teal"),
    ):
        upload(alice, draw(colour=colour), name=name or "x.jpg", title="" if name else "Title")
    Image.objects.filter(title="Title").update(original_name="")
    names = unpacked(api(alice).get(EXPORT)).namelist()[:-1]
    assert len({name.lower() for name in names}) == 6
    assert {"pictures/a.jpg", "pictures/b_c___d___.jpg", "pictures/Title.jpg"} <= set(names)


# What the product computes from a picture, how it keeps it, and what the export writes otherwise.
_OTHERS = {
    *("id", "owner", "file", "hidden_by", "facts", "ahead_of_utc", "is_offset_known"),
    *(
        "edition",
        "placeholder",
        "palette",
        "colour_cells",
        "perceptual_hash",
        "words",
        "name_words",
    ),
}


def test_every_field_of_a_picture_is_exported_or_named_here() -> None:
    """A new field is one or the other."""
    fields = {field.name for field in Image._meta.concrete_fields}
    assert fields - set(export_records._PICTURE_FIELDS) == _OTHERS


def test_all_that_is_known_is_told(alice: User, bob: User) -> None:
    first = upload(alice, draw(colour="red"), title="One", description="Words")
    second = upload(alice, draw(colour="blue"), visibility="public")
    trashed = upload(alice, draw(colour="green"))
    Image.objects.filter(pk=trashed.pk).update(deleted_at=trashed.created_at)
    Image.objects.filter(pk=first.pk).update(latitude=31.5, longitude=121.5)
    bobs = upload(bob, draw(colour="gold"), visibility="public")
    Tag.objects.create(owner=alice, name="sea").images.add(first)
    Favourite.objects.create(user=alice, image=bobs)
    Favourite.objects.create(user=bob, image=second)
    album = Album.objects.create(owner=alice, title="Trip", cover=second)
    for position, image in ((2.0, first), (1.0, second), (1.5, bobs)):
        AlbumItem.objects.create(album=album, image=image, position=position)
    AlbumShare.objects.create(album=album, user=bob, role="view")
    Group.objects.create(owner=alice, name="Family").members.add(bob)
    link = ShareLink.objects.create(album=album, created_by=alice, name="For Grandma")

    archive = unpacked(api(alice).get(EXPORT))
    document = told(archive)
    assert document["account"]["username"] == "alice"
    pictures = {row["id"]: row for row in document["pictures"]}
    assert set(pictures) == {str(image.pk) for image in (first, second, trashed)}
    one = pictures[str(first.pk)]
    assert (one["title"], one["description"], one["tags"]) == ("One", "Words", ["sea"])
    assert (one["latitude"], one["sha256"]) == (31.5, first.sha256)
    assert archive.read(one["file"]) == draw(colour="red")
    assert pictures[str(trashed.pk)]["deleted_at"]
    (trip,) = document["albums"]
    assert trip["pictures"] == [str(image.pk) for image in (second, bobs, first)]
    assert (trip["cover"], trip["shares"][0]["user"]) == (str(second.pk), "bob")
    assert [row["picture"] for row in document["favourites"]] == [str(bobs.pk)]
    assert document["groups"][0]["members"] == ["bob"]
    assert document["links"][0]["address"] == f"/s/{link.token}/"
    assert bobs.sha256 not in archive.read(DESCRIPTION).decode()


def test_an_account_with_nothing_gets_its_description(alice: User) -> None:
    archive = unpacked(api(alice).get(EXPORT))
    assert archive.namelist() == [DESCRIPTION]
    assert told(archive)["pictures"] == []


def test_a_file_that_is_missing_is_told_and_the_rest_comes(alice: User) -> None:
    lost = upload(alice, draw(colour="red"), name="lost.jpg")
    upload(alice, draw(colour="blue"), name="kept.jpg")
    default_storage.delete(str(lost.file.name))
    archive = unpacked(api(alice).get(EXPORT))
    assert archive.namelist() == ["pictures/kept.jpg", DESCRIPTION, MISSING]
    assert "pictures/lost.jpg" in archive.read(MISSING).decode()
    by_id = {row["id"]: row for row in told(archive)["pictures"]}
    assert by_id[str(lost.pk)]["file"] is None


def test_ten_thousand_pictures_need_no_room_for_their_files(alice: User) -> None:
    """All rows share one file of 4 MB. The whole export would have 40 GB."""
    one = upload(alice, draw())
    path = default_storage.path(str(one.file.name))
    size = 4 * 1024 * 1024
    with open(path, "r+b") as file:
        file.truncate(size)
    Image.objects.update(byte_size=size)
    rows = [
        Image(
            owner=alice, file=one.file.name, sha256=f"{number:064x}", byte_size=size,
            original_name=f"IMG_{number}.jpg", content_type="image/jpeg", width=1, height=1,
        )
        for number in range(9_999)
    ]  # fmt: skip
    Image.objects.bulk_create(rows, batch_size=1000)
    tracemalloc.start()
    export = export_account(alice)
    assert export.length > 10_000 * size
    sent = 0
    for piece in export.content:
        sent += len(piece)
        if sent > 100 * size:
            break
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_the_page_sends_the_same(alice: User) -> None:
    upload(alice, name="a.jpg")
    response = confirmed(alice).get(reverse("account_export"))
    assert "attachment" in response["Content-Disposition"]
    assert "clipsite-alice-" in response["Content-Disposition"]
    assert unpacked(response).namelist() == ["pictures/a.jpg", DESCRIPTION]
    offered = confirmed(alice).get(reverse("account_data")).content.decode()
    assert reverse("account_export") in offered


def test_strangers_get_nothing(alice: User) -> None:
    upload(alice)
    assert api().get(EXPORT).status_code == 401
    assert browser().get(reverse("account_export")).status_code == 302
