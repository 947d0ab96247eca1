"""Who sees metadata of a picture: its owner sees everything; others see neither place nor author;
visitors of share links see neither date nor camera either.

The tests put secrets into every part of a format that can hold them, and look for them in every
byte that others get.
"""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from django.test import Client
from PIL import Image as Pillow
from PIL import ImageCms, PngImagePlugin, TiffImagePlugin
from PIL.ExifTags import GPS, IFD, Base
from pillow_heif import register_heif_opener

from gallery.models import Image, Tag, User
from tests.conftest import api, upload
from tests.factories import analyse
from tests.pictures import drawing
from tests.sharing_tools import album_of, link_to, page_of, share, shared
from tests.web_tools import browser

pytestmark = pytest.mark.django_db

register_heif_opener()

# Each secret is in another part. None may be a substring of legitimate content.
SECRETS = {
    "comment": "Zq-comment-Zq",
    "serial": "Zq-serial-Zq",
    "artist": "Zq-artist-Zq",
    "software": "Zq-software-Zq",
    "maker": "Zq-maker-Zq",
    "xmp": "Zq-xmp-Zq",
    "iptc": "Zq-iptc-Zq",
    "profile": "Zq-profile-Zq",
    "text": "Zq-text-Zq",
    "description": "Zq-description-Zq",
    "thumbnail": "Zq-thumbnail-Zq",
    "tag": "Zq-tag-Zq",
    "name": "Zq-name-Zq",
}
CAMERA, LENS = "Vq-camera-Vq", "Vq-lens-Vq"
TAKEN = "2021:03:04 05:06:07"
PLACE = (47.5, 8.25)
# As stored, and in other notations.
PLACE_WORDS = ("47.5", "8.25")
# The fraction of an upload's seconds is sometimes such a number.
FINE_TIMES = re.compile(rb"\d\d:\d\d:\d\d\.\d+")

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="Zq-xmp-Zq"/></rdf:RDF></x:xmpmeta>'
)


def exif() -> Pillow.Exif:
    facts = Pillow.Exif()
    facts[Base.Make] = CAMERA
    facts[Base.ImageDescription] = SECRETS["description"]
    facts[Base.Artist] = SECRETS["artist"]
    facts[Base.Software] = SECRETS["software"]
    facts[Base.HostComputer] = SECRETS["software"]
    photo = facts.get_ifd(IFD.Exif)
    photo[Base.DateTimeOriginal] = TAKEN
    photo[Base.LensModel] = LENS
    photo[Base.ISOSpeedRatings] = 400
    photo[Base.BodySerialNumber] = SECRETS["serial"]
    photo[Base.LensSerialNumber] = SECRETS["serial"]
    photo[Base.CameraOwnerName] = SECRETS["artist"]
    photo[Base.UserComment] = b"ASCII\x00\x00\x00" + SECRETS["comment"].encode()
    photo[Base.MakerNote] = SECRETS["maker"].encode()
    gps = facts.get_ifd(IFD.GPSInfo)
    gps[GPS.GPSLatitudeRef], gps[GPS.GPSLongitudeRef] = "N", "E"
    gps[GPS.GPSLatitude], gps[GPS.GPSLongitude] = (47.0, 30.0, 0.0), (8.0, 15.0, 0.0)
    return facts


@cache
def profile() -> bytes:
    """Return a usable colour profile with a secret in its description and the time of its
    making."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    word = "sRGB built-in".encode("utf-16-be")
    secret = SECRETS["profile"].encode("utf-16-be")
    place = data.index(word)
    data[place : place + len(secret)] = secret
    return bytes(data)


def saved(format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture = drawing(96, 64)
    picture.save(buffer, format_, exif=exif(), icc_profile=profile(), **options)
    return buffer.getvalue()


def jpeg() -> bytes:
    data = saved("JPEG", comment=SECRETS["comment"], xmp=XMP)
    value = SECRETS["iptc"].encode()
    record = b"\x1c\x02\x78" + len(value).to_bytes(2, "big") + value
    block = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + len(record).to_bytes(4, "big") + record
    segment = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    # Phones store films behind the end, and editors store notes.
    return data[:2] + segment + data[2:] + SECRETS["thumbnail"].encode()


def png() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRETS["comment"])
    notes.add_text("Author", SECRETS["artist"], zip=True)
    notes.add_itxt("XML:com.adobe.xmp", XMP.decode())
    notes.add_itxt("Description", SECRETS["text"])
    return saved("PNG", pnginfo=notes)


def tiff() -> bytes:
    facts, tags = exif(), TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (Base.Make, Base.ImageDescription, Base.Artist, Base.Software):
        tags[tag] = facts[tag]
    tags[700] = XMP
    for directory in (IFD.Exif, IFD.GPSInfo):
        tags[directory] = dict(facts.get_ifd(directory))
    data = io.BytesIO()
    drawing(96, 64).save(data, "TIFF", tiffinfo=tags, icc_profile=profile())
    return data.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "jpg": jpeg,
    "png": png,
    "webp": lambda: saved("WEBP", xmp=XMP),
    "tif": tiff,
    "heic": lambda: saved("HEIF", xmp=XMP),
    "avif": lambda: saved("AVIF", xmp=XMP),
}
# These must be in the original, or the test would look for something that is not there.
PLANTED = {
    "jpg": {"comment", "serial", "artist", "software", "maker", "xmp", "iptc", "thumbnail"},
    "png": {"comment", "serial", "artist", "software", "xmp", "text"},
    "webp": {"serial", "artist", "software", "xmp"},
    "tif": {"serial", "artist", "software", "maker", "xmp", "description"},
    "heic": {"serial", "artist", "software", "xmp"},
    "avif": {"serial", "artist", "software", "xmp"},
}


@pytest.fixture(params=FORMATS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def picture(alice: User, kind: str) -> Image:
    image = upload(alice, FORMATS[kind](), f"{SECRETS['name']}.{kind}", title="Lake")
    Tag.objects.create(owner=alice, name=SECRETS["tag"]).images.add(image)
    return Image.objects.get(pk=image.pk)


def assert_clean(content: bytes, also: tuple[str, ...] = ()) -> None:
    """Check that no secret occurs, in any encoding that metadata can have."""
    for word in (*SECRETS.values(), *also):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert word.encode(encoding) not in content, word


def assert_plain_picture(content: bytes) -> None:
    """Check with readers of metadata that there is none, and no part for any."""
    assert_clean(content, (CAMERA, LENS, TAKEN))
    picture = Pillow.open(io.BytesIO(content))
    picture.load()
    assert picture.format == "WEBP"
    assert picture.size == (96, 64)
    assert dict(picture.getexif()) == {}
    assert set(picture.info) <= {"loop", "background", "timestamp", "duration"}
    # The chunks of the file: only pixels (and transparency), no EXIF, XMP or ICCP.
    assert set(chunks(content)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


def chunks(webp: bytes) -> list[bytes]:
    found, place = [], 12
    while place < len(webp):
        size = int.from_bytes(webp[place + 4 : place + 8], "little")
        found.append(webp[place : place + 4])
        place += 8 + size + size % 2
    assert place == len(webp), "something lies behind the end"
    return found


def whole(response: Any) -> bytes:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return FINE_TIMES.sub(b"", bytes(content)) + headers.encode()


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


# --- Does the test look for what is there? ------------------------------------------------


def test_the_secrets_are_planted(kind: str) -> None:
    data = FORMATS[kind]()
    planted = {name for name, word in SECRETS.items() if word.encode() in data}
    assert PLANTED[kind] <= planted
    assert CAMERA.encode() in data


def test_the_owner_has_it_all(alice, picture: Image, kind: str) -> None:
    assert body(api(alice).get(f"/api/v1/images/{picture.pk}/file/")) == FORMATS[kind]()
    shown = api(alice).get(f"/api/v1/images/{picture.pk}/").json()
    assert (shown["latitude"], shown["longitude"]) == PLACE
    assert shown["original_name"] == f"{SECRETS['name']}.{kind}"
    assert shown["tags"] == [SECRETS["tag"]]
    assert shown["captured_at"].startswith("2021-03-04")


# --- People ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["public", "member", "moderator"])
def test_others_get_pixels_and_camera_settings(
    alice, bob, picture: Image, kind: str, who: str
) -> None:
    album = album_of(alice, picture)
    viewer: User | None = bob
    if who == "public":
        Image.objects.update(visibility="public")
        viewer = None
    elif who == "member":
        share(album, bob, "manage")
    else:
        Image.objects.update(visibility="public")
        bob.role = User.Role.MODERATOR
        bob.save()
    client = api(viewer)
    address = f"/api/v1/images/{picture.pk}/"
    for rest in ("file/", "file/?download=1", "thumbnail/?w=2000"):
        answer = client.get(f"{address}{rest}")
        headers = str(answer.headers)
        assert picture.sha256 not in headers
        assert_clean(headers.encode())
        assert_plain_picture(body(answer))

    shown = client.get(address).json()
    for field in ("latitude", "longitude", "original_name", "sha256", "tags"):
        assert shown[field] is None, field
    # Of the camera's values, only those with a known meaning.
    assert shown["camera"] == CAMERA
    assert shown["exif"] == {"lens": LENS, "iso": 400.0}

    pages = browser(viewer)
    places = [address, "/api/v1/images/", f"/images/{picture.pk}/", "/", f"/images/{picture.pk}/"]
    if who == "member":
        places += [f"/albums/{album.pk}/", f"/api/v1/albums/{album.pk}/images/"]
        places += [f"/api/v1/albums/{album.pk}/", "/albums/", "/timeline/"]
    for place in places:
        reader = client if place.startswith("/api/") else pages
        answer = reader.get(place)
        assert answer.status_code == 200, place
        assert_clean(whole(answer), (picture.sha256, *PLACE_WORDS))


def test_archives_for_members_hold_clean_copies(alice, bob, picture: Image) -> None:
    album = album_of(alice, picture)
    share(album, bob)
    made = api(bob).post("/api/v1/downloads/", {"album": str(album.pk)}).json()
    answer = api(bob).get(made["url"])
    assert_clean(str(answer.headers).encode())
    # Its page shows the date to them. So does the file.
    assert check_archive(body(answer)) == (2021, 3, 4, 5, 6, 6)


# --- Links -----------------------------------------------------------------------------

# Links show neither date nor camera.
HIDDEN_ON_LINKS = (CAMERA, LENS, "2021-03-04", "2021:03:04", "Mar 4, 2021", "March 4, 2021")


@pytest.mark.parametrize("who", ["anonymous", "owner"])
def test_links_show_pixels_and_titles_alone(alice, picture: Image, who: str) -> None:
    """This holds for the owner, too, who checks what the link shows."""
    album = album_of(alice, picture)
    for link in (link_to(album, allow_download=True), link_to(picture, allow_download=True)):
        client, pages = (api(alice), browser(alice)) if who == "owner" else (api(), Client())
        for rest in ("file/", "file/?download=1", "thumbnail/?w=2000"):
            answer = client.get(shared(link, f"images/{picture.pk}/{rest}"))
            assert_clean(str(answer.headers).encode(), (picture.sha256, *HIDDEN_ON_LINKS))
            assert_plain_picture(body(answer))
            assert answer["ETag"] in (f'"{picture.pk}-full"', f'"{picture.pk}-320"')
        (shown,) = client.get(shared(link, "images/")).json()["results"]
        assert set(shown) == {
            "id",
            "title",
            "description",
            "width",
            "height",
            "placeholder",
            "urls",
        }
        for answer in (
            client.get(shared(link)),
            client.get(shared(link, "images/")),
            pages.get(page_of(link)),
            pages.get(page_of(link, f"images/{picture.pk}/")),
        ):
            assert answer.status_code == 200
            assert_clean(whole(answer), (picture.sha256, *PLACE_WORDS, *HIDDEN_ON_LINKS))
        archive = pages.get(page_of(link, "download/"))
        assert_clean(str(archive.headers).encode())
        assert check_archive(body(archive))[0] >= 2024


def check_archive(content: bytes) -> tuple[int, ...]:
    """Check an archive. Return the date of its entry."""
    assert_clean(content, HIDDEN_ON_LINKS)
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.comment == b""
    (entry,) = archive.infolist()
    assert entry.comment == b""
    assert_plain_picture(archive.read(entry))
    return entry.date_time


def test_a_picture_without_a_title_does_not_take_its_files_name(alice, picture: Image) -> None:
    Image.objects.update(title="")
    link = link_to(picture)
    page = Client().get(page_of(link)).content
    assert_clean(page)
    assert "Untitled" in page.decode()


def test_placeholders_are_pixels_alone(picture: Image) -> None:
    analyse()
    picture.refresh_from_db()
    data = base64.b64decode(picture.placeholder.partition(",")[2])
    assert set(chunks(data)) <= {b"VP8 ", b"VP8L"}


def test_what_is_kept_of_the_camera_is_a_fixed_list(picture: Image) -> None:
    """Serial numbers, names, comments and programs are not kept."""
    assert set(picture.exif) <= {
        "exposure_time",
        "exposure_bias",
        "f_number",
        "iso",
        "focal_length",
        "focal_length_35mm",
        "lens",
        "flash",
    }
    assert_clean(json.dumps([picture.exif, picture.camera, picture.title]).encode())
