"""When a picture was taken: how programs store it, and values that are no dates."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import GPS, Base

from gallery.library.clocks import Clock, offset_text, time_fields, told
from gallery.library.facts import read_facts
from gallery.library.name_times import read_name
from gallery.library.written_times import read
from gallery.library.xmp import read_properties
from gallery.pixels.blocks import read_blocks
from tests import pictures

NOON = datetime(2010, 5, 1, 12)
AHEAD = timedelta(hours=2)


def taken(data: bytes, name: str = "") -> Clock | None:
    return read_facts(io.BytesIO(data), name).taken


def with_exif(**blocks: Any) -> bytes:
    return pictures.jpeg(exif=pictures.exif_block(**blocks))


# --- How it is written ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "time", "offset"),
    [
        ("2010:05:01 12:00:00", NOON, None),
        ("2010-05-01 12:00:00", NOON, None),
        ("2010/05/01 12:00:00", NOON, None),
        ("2010.05.01 12:00:00", NOON, None),
        ("2010:05:01T12:00:00", NOON, None),
        ("2010:5:1 12:00:00", NOON, None),
        ("2010: 5: 1 12: 0: 0", NOON, None),
        ("2010-05-01T12:00", NOON, None),
        ("2010:05:01 12:00:00.250", NOON.replace(microsecond=250_000), None),
        ("2010-05-01T12:00:00Z", NOON, timedelta(0)),
        ("2010-05-01T12:00:00+02:00", NOON, AHEAD),
        ("2010:05:01 12:00:00+0200", NOON, AHEAD),
        ("2010-05-01 12:00:00 -03:30", NOON, -timedelta(hours=3, minutes=30)),
        ("2010-05-01T12:00:00.5+02", NOON.replace(microsecond=500_000), AHEAD),
        ("20100501T120000", NOON, None),
        ("20100501 120000+0200", NOON, AHEAD),
        ("2010:05:01 12:00:00 pm", NOON, None),
        ("2010-05-01 12:00:00 AM", NOON.replace(hour=0), None),
        ("2010:05:01 23:59:60", datetime(2010, 5, 1, 23, 59, 59), None),
        ("2010:05:01", NOON.replace(hour=0), None),
        ("20100501", NOON.replace(hour=0), None),
        ("Sat, 01 May 2010 12:00:00 GMT", NOON, timedelta(0)),
        ("Sat, 1 May 2010 12:00:00 +0200", NOON, AHEAD),
        ("1 May 2010 12:00:00 -0000", NOON, None),
        ("Sat May  1 12:00:00 2010", NOON, None),
    ],
)
def test_ways_of_writing_a_time(text: str, time: datetime, offset: timedelta | None) -> None:
    assert read(text) == Clock(time, offset)


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "0000:00:00 00:00:00", "    :  :     :  :  ", "2023:02:30 10:00:00"),
        *("2024:13:01 10:00:00", "2024:05:01 25:00:00", "2024:05:01 10:61:00", "2024:05", "2024"),
        *("1000:01:01 00:00:00", "0001:01:01 00:00:00", "9999:12:31 23:59:59", "01/05/2010"),
        *("1970:01:01 00:00:00", "05-01-2010 12:00:00", "2010:05:01 13:00:00 pm", "May 2010"),
        *("Sat, 31 Feb 2010 12:00:00 GMT", "२०१०:०५:०१ १२:००:००", "2010:05:01 12:00:00 or so"),
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert read(text, "-12:00") is None


def test_tomorrow_is_believed_and_what_is_later_is_not() -> None:
    now = timezone.now()
    assert read(f"{now:%Y:%m:%d %H:%M:%S}") is not None
    assert read(f"{now + timedelta(days=3):%Y:%m:%d %H:%M:%S}") is None


@pytest.mark.parametrize("offset", ["   :  ", "nonsense", "", "+99:99"])
def test_an_unusable_offset_does_not_lose_the_time(offset: str) -> None:
    photo = {Base.DateTimeOriginal: "2010:05:01 12:00:00", Base.OffsetTimeOriginal: offset}
    assert taken(with_exif(photo=photo)) == Clock(NOON)


def test_the_clocks_of_the_site_count_where_no_offset_is_known(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    assert Clock(NOON).moment == datetime(2010, 5, 1, 4, tzinfo=UTC)
    assert Clock(NOON, AHEAD).moment == datetime(2010, 5, 1, 10, tzinfo=UTC)
    fields = time_fields(Clock(NOON))
    assert (fields["ahead_of_utc"], fields["is_offset_known"]) == (8 * 3600, False)


@pytest.mark.parametrize("hour", [datetime(2024, 3, 31, 2, 30), datetime(2024, 10, 27, 2, 30)])
def test_hours_that_clocks_of_the_site_skip_or_repeat_stay(settings: Any, hour: datetime) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    fields = time_fields(Clock(hour))
    ahead = timedelta(seconds=fields["ahead_of_utc"])
    assert (fields["captured_at"] + ahead).replace(tzinfo=None) == hour
    assert told(hour, None).startswith(hour.isoformat())


def test_offsets_are_told_as_people_write_them() -> None:
    offsets = [None, timedelta(0), timedelta(hours=5, minutes=45), -timedelta(hours=3, minutes=30)]
    assert [offset_text(offset) for offset in offsets] == [None, "+00:00", "+05:45", "-03:30"]
    assert told(NOON, AHEAD) == "2010-05-01T12:00:00+02:00"
    assert told(NOON, timedelta(0)) == "2010-05-01T12:00:00Z"


# --- Where it is written ------------------------------------------------------------

ATTRIBUTES = (
    '<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    ' exif:DateTimeOriginal="2010-05-01T12:00:00+02:00"/>'
)
ELEMENTS = (
    '<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">'
    "<photoshop:DateCreated> 2010-05-01T12:00:00+02:00 </photoshop:DateCreated></rdf:Description>"
)
CREATED = (
    '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
    "<xmp:CreateDate>2010-05-01T12:00:00+02:00</xmp:CreateDate></rdf:Description>"
)


def packet(description: str, before: str = "") -> bytes:
    return (
        f'{before}<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'{description}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode() + b" " * 2000


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", check)


def png_with(kind: bytes, content: bytes, *, behind: bool = False) -> bytes:
    data = pictures.png()
    at = data.index(b"IEND" if behind else b"IDAT") - 4
    return data[:at] + png_chunk(kind, content) + data[at:]


def raw_profile(name: str, content: bytes) -> bytes:
    digits = content.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    packed = zlib.compress(f"\n{name}\n{len(content):8}\n{lines}\n".encode())
    return f"Raw profile type {name}\0\0".encode() + packed


def iim(**sets: str) -> bytes:
    numbers = {"date": 55, "time": 60, "digitised": 62}
    return b"".join(
        struct.pack(">BBBH", 0x1C, 2, numbers[name], len(text)) + text.encode()
        for name, text in sets.items()
    )


def photoshop(content: bytes) -> bytes:
    odd = b"\0" * (len(content) % 2)
    return b"8BIM\x04\x04\0\0" + struct.pack(">L", len(content)) + content + odd


def jpeg_with_app13(content: bytes) -> bytes:
    data = b"Photoshop 3.0\0" + photoshop(content)
    plain = pictures.jpeg()
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(data) + 2) + data + plain[2:]


def tiff_with(tag: int, value: bytes, kind: int = 7) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[tag], info.tagtype[tag] = value, kind
    return pictures.saved(pictures.drawing(), "TIFF", tiffinfo=info)


XMP = packet(ATTRIBUTES)


def gif_with_xmp() -> bytes:
    """Return a GIF with XMP behind the first frame, as programs write it."""
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    data = pictures.animated_gif()
    return data[:-1] + b"\x21\xff\x0bXMP DataXMP" + XMP + trailer + data[-1:]


IPTC = iim(date="20100501", time="120000+0200")
TEXT = b"Creation Time\0"


@pytest.mark.parametrize(
    "data",
    [
        *(pictures.saved(pictures.drawing(), kind, xmp=XMP) for kind in ("JPEG", "WEBP", "AVIF")),
        pictures.saved(pictures.drawing(), "HEIF", xmp=XMP),
        pictures.jpeg(xmp=packet(ELEMENTS)),
        pictures.jpeg(xmp=packet(CREATED)),
        tiff_with(700, XMP, 1),
        gif_with_xmp(),
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP), behind=True),
        png_with(b"zTXt", raw_profile("xmp", XMP)),
        png_with(b"zTXt", raw_profile("iptc", photoshop(IPTC)), behind=True),
        png_with(b"tEXt", TEXT + b"Sat, 01 May 2010 12:00:00 +0200"),
        png_with(b"tEXt", TEXT + b"2010-05-01T12:00:00+02:00", behind=True),
        png_with(b"zTXt", TEXT + b"\0" + zlib.compress(b"2010:05:01 12:00:00+02:00")),
        png_with(b"iTXt", TEXT + b"\0\0\0\0" + b"2010-05-01 12:00:00 +0200"),
        png_with(b"tEXt", b"exif:DateTimeOriginal\0" + b"2010:05:01 12:00:00+02:00"),
        jpeg_with_app13(IPTC),
        tiff_with(33723, IPTC),
        tiff_with(34377, photoshop(IPTC), 1),
    ],
    ids=[
        *("JPEG XMP", "WebP XMP", "AVIF XMP", "HEIC XMP", "XMP element", "XMP CreateDate"),
        *(
            "TIFF XMP",
            "GIF XMP",
            "PNG XMP",
            "PNG XMP packed, behind",
            "PNG raw XMP",
            "PNG raw IPTC, behind",
        ),
        *("PNG text as in letters", "PNG text behind", "PNG text packed", "PNG international text"),
        *("PNG text of EXIF", "JPEG IPTC", "TIFF IPTC", "TIFF Photoshop IPTC"),
    ],
)
def test_places_of_a_time(data: bytes) -> None:
    Image.open(io.BytesIO(data)).load()
    assert taken(data) == Clock(NOON, AHEAD)


@pytest.mark.parametrize("behind", [False, True])
def test_exif_of_a_png_before_and_behind_the_pixels(behind: bool) -> None:
    block = pictures.exif_block(photo={Base.DateTimeOriginal: "2010-05-01 12:00:00"})
    data = png_with(b"eXIf", block.removeprefix(b"Exif\0\0"), behind=behind)
    assert taken(data) == Clock(NOON)


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ((20.0, 30.0, 15.5), datetime(2007, 3, 4, 20, 30, 15)),
        (None, datetime(2007, 3, 4)),
        ((99.0, 0.0, 0.0), datetime(2007, 3, 4)),
    ],
)
def test_satellites_tell_the_time_of_utc(
    settings: Any, stamp: tuple[float, ...] | None, time: datetime
) -> None:
    gps: dict[int, Any] = {GPS.GPSDateStamp: "2007:03:04"}
    if stamp:
        gps[GPS.GPSTimeStamp] = stamp
    assert taken(with_exif(gps=gps)) == Clock(time)
    settings.TIME_ZONE = "Asia/Shanghai"
    assert taken(with_exif(gps=gps)) == Clock(time + timedelta(hours=8))


def test_what_is_told_first_comes_first() -> None:
    """The order: the photograph, its digitising, satellites, the name, the last change by a
    camera."""
    name = "IMG_20050501_120000.jpg"
    sources: list[dict[str, Any]] = [
        {"photo": {Base.DateTimeOriginal: "2001:05:01 12:00:00"}},
        {"photo": {Base.DateTimeDigitized: "2003:05:01 12:00:00"}},
        {"gps": {GPS.GPSDateStamp: "2004:05:01", GPS.GPSTimeStamp: (12.0, 0.0, 0.0)}},
        {"main": {Base.DateTime: "2006:05:01 12:00:00", Base.Model: "X"}},
    ]
    years = []
    while sources:
        blocks: dict[str, dict[int, Any]] = {}
        for source in sources:
            for directory, tags in source.items():
                blocks.setdefault(directory, {}).update(tags)
        found = taken(with_exif(**blocks), name)
        years.append(found.time.year if found else None)
        sources.pop(0)
    assert years == [2001, 2003, 2004, 2005]
    changed = {Base.DateTime: "2006:05:01 12:00:00", Base.Model: "X"}
    assert taken(with_exif(main=changed)) == Clock(datetime(2006, 5, 1, 12))
    # Without a camera, a program has changed the file.
    assert taken(with_exif(main={Base.DateTime: "2006:05:01 12:00:00"})) is None


def test_xmp_comes_before_the_time_of_digitising() -> None:
    block = pictures.exif_block(photo={Base.DateTimeDigitized: "2015:01:01 00:00:01"})
    assert taken(pictures.jpeg(exif=block, xmp=XMP)) == Clock(NOON, AHEAD)


def test_a_time_gets_its_offset_and_a_day_its_time_from_elsewhere() -> None:
    block = pictures.exif_block(photo={Base.DateTimeOriginal: "2010:05:01 12:00:00"})
    assert taken(pictures.jpeg(exif=block, xmp=XMP)) == Clock(NOON, AHEAD)
    day = pictures.exif_block(photo={Base.DateTimeOriginal: "2010:05:01"})
    assert taken(pictures.jpeg(exif=day, xmp=XMP)) == Clock(NOON, AHEAD)
    other = pictures.exif_block(photo={Base.DateTimeOriginal: "2010:05:01 13:00:00"})
    assert taken(pictures.jpeg(exif=other, xmp=XMP)) == Clock(NOON.replace(hour=13))


def test_parts_of_a_second() -> None:
    photo = {Base.DateTimeOriginal: "2010:05:01 12:00:00", Base.SubsecTimeOriginal: "25"}
    assert taken(with_exif(photo=photo)) == Clock(NOON.replace(microsecond=250_000))


def test_an_impossible_time_leaves_room_for_another() -> None:
    block = pictures.exif_block(photo={Base.DateTimeOriginal: "0000:00:00 00:00:00"})
    assert taken(pictures.jpeg(exif=block, xmp=XMP)) == Clock(NOON, AHEAD)


@pytest.mark.parametrize("keyword", [b"date:create", b"date:modify", b"Comment"])
def test_dates_of_files_are_not_those_of_pictures(keyword: bytes) -> None:
    assert taken(png_with(b"tEXt", keyword + b"\0" + b"2010-05-01T12:00:00+00:00")) is None
    assert taken(png_with(b"tIME", bytes((7, 218, 5, 1, 12, 0, 0)))) is None


# --- XMP from outside ---------------------------------------------------------------


def test_what_a_packet_tells_of_others_is_not_of_the_picture() -> None:
    inside = f'<rdf:Description xmlns:p="p:"><p:Pantry>{ATTRIBUTES}</p:Pantry></rdf:Description>'
    assert read_properties(packet(inside)) == {}


def test_entities_are_not_read() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "2010-05-01"><!ENTITY b "&a;&a;">]>'
    referring = ELEMENTS.replace(" 2010", "&b; 2010")
    assert read_properties(packet(referring, before=bomb)) == {}
    assert read_properties(packet(ATTRIBUTES, before=bomb)) == {}
    outside = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    assert read_properties(packet(ATTRIBUTES, before=outside)) == {}


def test_a_broken_packet_is_read_up_to_the_fault() -> None:
    assert read_properties(packet(ATTRIBUTES + "<broken")) == {
        "exif:DateTimeOriginal": "2010-05-01T12:00:00+02:00"
    }
    assert read_properties(b"<" * 5000) == read_properties(b"") == {}
    assert read_properties(packet("<a>" * 5000)) == {}


def test_texts_that_unpack_to_much_are_passed_over() -> None:
    image = Image.open(io.BytesIO(pictures.png()))
    for length, found in [(1_000_000, True), (20_000_000, False)]:
        packed = zlib.compress(XMP + b" " * length)
        data = png_with(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)
        assert bool(read_blocks(image, io.BytesIO(data)).xmp) == found


# --- Names --------------------------------------------------------------------------

SHOT = datetime(2019, 3, 4, 10, 11, 12)
DAY = datetime(2019, 3, 4)


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("IMG_20190304_101112.jpg", SHOT),
        ("IMG_20190304_101112_1.jpg", SHOT),
        ("IMG_20190304_101112345.jpg", SHOT.replace(microsecond=345_000)),
        ("20190304_101112.jpg", SHOT),
        ("IMG20190304101112.jpg", SHOT),
        ("PXL_20190304_101112345.MP.jpg", SHOT.replace(microsecond=345_000)),
        ("WIN_20190304_10_11_12_Pro.jpg", SHOT),
        ("Screenshot_2019-03-04-10-11-12.png", SHOT),
        ("Screenshot_20190304-101112_Chrome.jpg", SHOT),
        ("Screenshot 2019-03-04 at 10.11.12.png", SHOT),
        ("Screen Shot 2019-03-04 at 10.11.12\u202fPM.png", SHOT.replace(hour=22)),
        ("Bildschirmfoto 2019-03-04 um 10.11.12.png", SHOT),
        ("2019-03-04 10.11.12.jpg", SHOT),
        ("2019-03-04 10.11.12-2.jpg", SHOT),
        ("signal-2019-03-04-101112.jpg", SHOT),
        ("signal-2019-03-04-10-11-12-345.jpg", SHOT.replace(microsecond=345_000)),
        ("photo_2019-03-04_10-11-12.jpg", SHOT),
        ("20190304T101112.jpg", SHOT),
        ("IMG-20190304-WA0001.jpg", DAY),
        ("2019-03-04 Birthday.jpg", DAY),
        ("2019-03-04.jpg", DAY),
        ("1956-08-09 wedding.jpg", datetime(1956, 8, 9)),
        ("2019年3月4日 10时11分12秒.jpg", SHOT),
        ("2019年03月04日10時11分12秒.jpg", SHOT),
        ("生日 2019年3月4日.jpg", DAY),
        ("mmexport1551694272000.jpg", SHOT),
        ("wx_camera_1551694272345.jpg", SHOT.replace(microsecond=345_000)),
        ("FB_IMG_1551694272000.jpg", SHOT),
    ],
)
def test_names_that_tell_a_date(name: str, time: datetime) -> None:
    assert read_name(name) == Clock(time)
    assert taken(pictures.png(), name) == Clock(time)


def test_words_of_other_languages_stand_before_the_time() -> None:
    for word in ("à", "às", "um", "at"):
        found = read_name(f"Capture 2015-01-02 {word} 13.04.05.png")
        assert found == Clock(datetime(2015, 1, 2, 13, 4, 5)), word


@pytest.mark.parametrize(
    "name",
    [
        *("DSC_0001.jpg", "20190304.jpg", "IMG_20190304.jpg", "12345678_123456.jpg", "a.jpg", ""),
        *("IMG_20191304_101112.jpg", "IMG_20190304_251112.jpg", "IMG_20190304_1011123456.jpg"),
        *("1551694272000.jpg", "920190304_101112.jpg", "19190304_101112.jpg", "1024-768-90.jpg"),
        *("IMG_29990304_101112.jpg", "2019-03-045.jpg", "2019-02-30.jpg", "2019-03_04.jpg"),
        *(
            "2019年13月4日.jpg",
            "2019年3月.jpg",
            "mmexport155169427200.jpg",
            "export1551694272000.jpg",
        ),
        *("20190304101112131415.jpg", "٢٠١٩-٠٣-٠٤.jpg", "0000-00-00.jpg"),
    ],
)
def test_numbers_that_are_no_dates(name: str) -> None:
    assert read_name(name) is None


def test_wechat_and_facebook_count_from_1970_in_utc(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    assert read_name("mmexport1551694272000.jpg") == Clock(SHOT.replace(hour=18))


def test_phones_of_google_write_utc(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    expected = datetime(2021, 5, 5, 7, 34, 56, 789_000)
    assert read_name("PXL_20210504_233456789.jpg") == Clock(expected)
