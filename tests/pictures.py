"""All kinds of difficult pictures, drawn in memory. The functions return the bytes of a file."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageDraw, TiffImagePlugin
from PIL.ExifTags import GPS, IFD, Base
from pillow_heif import register_heif_opener

register_heif_opener()

# The colours in the corners of `drawing`, clockwise from the top left. They show how it was turned.
CORNERS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220), "white": (255,) * 3}


def drawing(width: int = 64, height: int = 48) -> Image.Image:
    """Return an RGB picture: a gradient with a different colour in each corner."""
    x = np.linspace(0, 255, width, dtype=np.uint8)
    y = np.linspace(0, 255, height, dtype=np.uint8)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = x, y[:, None], 128
    image = Image.fromarray(pixels)
    box_width, box_height = max(1, width // 3), max(1, height // 3)
    places = [
        (0, 0),
        (width - box_width, 0),
        (width - box_width, height - box_height),
        (0, height - box_height),
    ]
    pen = ImageDraw.Draw(image)
    for (left, top), colour in zip(places, CORNERS.values(), strict=True):
        pen.rectangle((left, top, left + box_width - 1, top + box_height - 1), fill=colour)
    return image


def corner_names(image: Image.Image) -> list[str]:
    """Return the names of the colours in the corners, clockwise from the top left."""
    rgb = image.convert("RGB")
    right, bottom = rgb.width - 1, rgb.height - 1
    found = []
    for place in ((0, 0), (right, 0), (right, bottom), (0, bottom)):
        pixel = np.array(rgb.getpixel(place), dtype=int)
        distance = {name: abs(pixel - colour).sum() for name, colour in CORNERS.items()}
        found.append(min(distance, key=lambda name: distance[name]))
    return found


def saved(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


# --- Accepted kinds -------------------------------------------------------------


def jpeg(width: int = 64, height: int = 48, **options: Any) -> bytes:
    return saved(drawing(width, height), "JPEG", **{"quality": 90, **options})


def png(width: int = 64, height: int = 48) -> bytes:
    return saved(drawing(width, height), "PNG")


def webp(width: int = 64, height: int = 48) -> bytes:
    return saved(drawing(width, height), "WEBP", quality=90)


def avif(width: int = 64, height: int = 48) -> bytes:
    return saved(drawing(width, height), "AVIF", quality=90, speed=10)


def heic(width: int = 64, height: int = 48) -> bytes:
    return saved(drawing(width, height), "HEIF", quality=90)


def bmp(width: int = 64, height: int = 48) -> bytes:
    return saved(drawing(width, height), "BMP")


def bmp_of_run_lengths(width: int = 64, height: int = 48) -> bytes:
    """Return rows of one colour each, compressed with BI_RLE8."""
    runs = [255] * (width // 255) + [width % 255] * (width % 255 > 0)
    rows = [b"".join(bytes((run, y % 256)) for run in runs) + b"\0\0" for y in range(height)]
    data = b"".join(rows) + b"\0\1"
    palette = b"".join(bytes((level, level, level, 0)) for level in range(256))
    start = 14 + 40 + len(palette)
    header = struct.pack("<2sIII", b"BM", start + len(data), 0, start)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 0, 0, 256, 0)
    return header + info + palette + data


def tiff(width: int = 64, height: int = 48, compression: str = "tiff_lzw") -> bytes:
    return saved(drawing(width, height), "TIFF", compression=compression)


def multi_page_tiff() -> bytes:
    pages = [drawing(64, 48), Image.new("RGB", (200, 100), "black")]
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])


def float_tiff() -> bytes:
    """Return a TIFF of mode F with values from 0 to 1 and one NaN, as scientific cameras write
    it."""
    values = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)
    values[0, 0] = np.nan
    return saved(Image.fromarray(values), "TIFF")


def mpo() -> bytes:
    """Return two JPEGs in one file, as phones write them."""
    return saved(
        drawing(64, 48), "MPO", save_all=True, append_images=[Image.new("RGB", (32, 24), "black")]
    )


def animated_gif() -> bytes:
    frames = [drawing(64, 48).convert("P"), Image.new("RGB", (64, 48), "black").convert("P")]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)


def animated_webp() -> bytes:
    frames = [drawing(64, 48), Image.new("RGB", (64, 48), "black")]
    return saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100)


# --- Unusual modes and sizes ----------------------------------------------------


def cmyk_jpeg() -> bytes:
    return saved(drawing().convert("CMYK"), "JPEG", quality=90)


def grey_jpeg() -> bytes:
    return saved(drawing().convert("L"), "JPEG", quality=90)


def png_16_bit() -> bytes:
    values = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
    return saved(Image.fromarray(values), "PNG")


def palette_png_with_transparency() -> bytes:
    """Return a picture that is transparent on the left and green on the right."""
    image = Image.new("P", (64, 48), 0)
    image.putpalette([255, 0, 0, 0, 160, 0])
    image.paste(1, (32, 0, 64, 48))
    return saved(image, "PNG", transparency=0)


def one_bit_png() -> bytes:
    return saved(drawing().convert("1"), "PNG")


def one_pixel() -> bytes:
    return saved(Image.new("RGB", (1, 1), "red"), "PNG")


def panorama() -> bytes:
    return jpeg(20_000, 50)


def tower() -> bytes:
    """Return a narrow picture that is taller than WebP allows (16,383 px)."""
    return jpeg(50, 20_000)


def profile_with_red_and_blue_exchanged() -> bytes:
    """Return a valid ICC profile under which red is blue. It shows whether a reader applies it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    exchanged = bytearray(profile)
    exchanged[table[0] : table[0] + 4] = b"bXYZ"
    exchanged[table[1] : table[1] + 4] = b"rXYZ"
    return bytes(exchanged)


# --- EXIF -----------------------------------------------------------------------


def exif_block(
    *,
    orientation: int | None = None,
    main: dict[int, Any] | None = None,
    photo: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[Base.Orientation] = orientation
    for tag, value in (main or {}).items():
        exif[tag] = value
    for directory, values in ((IFD.Exif, photo), (IFD.GPSInfo, gps)):
        if values:
            exif.get_ifd(directory).update(values)
    return exif.tobytes()


def oriented(orientation: int, format_: str = "JPEG") -> bytes:
    """Return `drawing` as a camera in another position stores it. With the orientation applied, it
    is upright again (64 × 48)."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = drawing()
    if orientation in undo:
        image = image.transpose(undo[orientation])
    if format_ == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[Base.Orientation] = orientation
        return saved(image, "TIFF", tiffinfo=tags)
    options = {"quality": 95} if format_ in ("JPEG", "WEBP") else {}
    return saved(image, format_, exif=exif_block(orientation=orientation), **options)


def with_gps(format_: str = "JPEG") -> bytes:
    """Taken at 31°13'45.6" N, 121°28'12" E."""
    position = {
        GPS.GPSLatitudeRef: "N",
        GPS.GPSLatitude: (31.0, 13.0, 45.6),
        GPS.GPSLongitudeRef: "E",
        GPS.GPSLongitude: (121.0, 28.0, 12.0),
    }
    photo = {
        Base.DateTimeOriginal: "2024:05:01 12:30:00",
        Base.OffsetTimeOriginal: "+08:00",
        Base.ExposureTime: TiffImagePlugin.IFDRational(1, 250),
        Base.FNumber: TiffImagePlugin.IFDRational(28, 10),
        Base.ISOSpeedRatings: 200,
        Base.FocalLength: TiffImagePlugin.IFDRational(50, 1),
        Base.Flash: 0x19,
        Base.LensModel: "50mm F1.8",
    }
    main = {Base.Make: "NIKON CORPORATION", Base.Model: "NIKON D850"}
    block = exif_block(main=main, photo=photo, gps=position)
    return saved(drawing(), format_, exif=block)


def broken_exif() -> bytes:
    """Return a good picture whose EXIF is no TIFF at all."""
    return jpeg(exif=b"Exif\x00\x00" + b"\xde\xad\xbe\xef" * 16)


def exif_pointing_nowhere() -> bytes:
    """Return a good EXIF header with directories and values beyond the end of the block."""
    entries = [
        struct.pack("<HHLL", Base.Make, 2, 4_000_000, 0x7FFFFFF0),
        struct.pack("<HHLHH", Base.Orientation, 3, 1, 6, 0),
        struct.pack("<HHLL", IFD.Exif, 4, 1, 0x7FFFFFF0),
        struct.pack("<HHLL", IFD.GPSInfo, 4, 1, 0xFFFFFFFF),
    ]
    block = b"II*\x00" + struct.pack("<L", 8) + struct.pack("<H", len(entries))
    block += b"".join(entries) + struct.pack("<L", 0xFFFFFFFF)
    return jpeg(exif=b"Exif\x00\x00" + block)


def exif_cut_off() -> bytes:
    """Return a block that ends right after the orientation."""
    return jpeg(exif=exif_block(orientation=6, main={Base.Make: "M" * 60})[:-40])


def png_with_broken_exif() -> bytes:
    return saved(drawing(), "PNG", exif=b"M\x00\x00*\x00\x00\x00\x08" + bytes(40))


def exif_that_cannot_be_written_again() -> bytes:
    """Return orientation 6 beside a text tag that claims to contain numbers. Reading it works.
    Writing the block again fails, and Pillow does that when it turns a picture."""
    block = bytearray(exif_block(orientation=6, main={Base.Make: "ABCD"}))
    entry = block.index(struct.pack(">HH", Base.Make, 2))
    struct.pack_into(">H", block, entry + 2, 1)
    return jpeg(exif=bytes(block))


# --- Refused --------------------------------------------------------------------


def empty() -> bytes:
    return b""


def text() -> bytes:
    return b"This is a shopping list: bread, milk, apples.\n" * 40


def truncated_jpeg() -> bytes:
    whole = jpeg(640, 480)
    return whole[: len(whole) // 2]


def truncated(whole: bytes) -> bytes:
    return whole[: len(whole) * 2 // 3]


def spoilt(whole: bytes) -> bytes:
    """Return the bytes with 40 different ones in the middle."""
    middle = len(whole) // 2
    return (
        whole[:middle] + bytes(byte ^ 0xFF for byte in whole[middle:][:40]) + whole[middle + 40 :]
    )


def jpeg_header_only() -> bytes:
    return jpeg()[:20]


def svg() -> bytes:
    return (
        b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        b"<script>alert(1)</script></svg>"
    )


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def eps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"


def film() -> bytes:
    return b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(64)


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a PNG of `width` × `height` black pixels (1 bit each), a few kilobytes long."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", checksum)

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row * 1_000) for _ in range(height // 1_000))
    data += packer.compress(row * (height % 1_000)) + packer.flush()
    header = struct.pack(">LLBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def png_text_bomb() -> bytes:
    """Return a small PNG whose compressed text unpacks to more than Pillow allows."""
    body = b"Comment\x00\x00" + zlib.compress(bytes(80_000_000), 9)
    chunk = struct.pack(">L", len(body)) + b"zTXt" + body
    chunk += struct.pack(">L", zlib.crc32(b"zTXt" + body))
    whole = png()
    return whole[:33] + chunk + whole[33:]  # right behind IHDR


NASTY_NAMES = {
    "../../etc/passwd.jpg": "passwd.jpg",
    "C:\\Users\\me\\holiday.jpg": "holiday.jpg",
    "a\x00b\nc\x1b[31m.jpg": "abc[31m.jpg",
    "\u202egpj.exe": "gpj.exe",
    "\udcff\udcfe.jpg": ".jpg",
    "cafe\u0301.jpg": "caf\u00e9.jpg",
    "..": "",
    "": "",
    "x" * 500 + ".jpeg": "x" * 250 + ".jpeg",
    "照片.jpg": "照片.jpg",
}
