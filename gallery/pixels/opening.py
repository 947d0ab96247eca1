"""Opens untrusted files, in the accepted formats only.

Metadata may be broken or of any size, which is no reason to refuse a picture. Pillow therefore
gets only what the pixels need (`open_pixels`), or that and the metadata that is valid and small
(`open_picture`). The file's information about colours is added to `info`, see
`colour.to_srgb`.
"""

from __future__ import annotations

from typing import IO, Any, cast

from PIL import Image, PngImagePlugin
from PIL.ExifTags import Base
from pillow_heif import register_heif_opener

from gallery.pixels import boxes, jpeg, keys, png, tiff, webp

# The only decoders that an untrusted file may reach. JPEG's also opens MPO.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP")

# EXIF orientation -> the operation that makes the picture upright. Pillow's own exif_transpose
# also writes the EXIF again, and fails if it is broken.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

register_heif_opener()
Image.init()
# `header` applies our own limits of pixels and bytes instead.
Image.MAX_IMAGE_PIXELS = None
# The limit of all texts of a PNG together, in characters, which may take four bytes each.
PngImagePlugin.MAX_TEXT_MEMORY = png.MOST_TOGETHER


def open_picture(file: IO[bytes]) -> Image.Image:
    """Open lazily, with metadata. Raises what Pillow raises."""
    head = _head(file)
    if png.is_png(head):
        return _opened(png.with_facts(file))
    if jpeg.is_jpeg(head):
        return _opened(jpeg.with_facts(file))
    if tiff.is_tiff(head):
        return _opened(tiff.with_facts(file))
    return open_pixels(file)


def open_pixels(file: IO[bytes]) -> Image.Image:
    """Open lazily, without what the pixels do not need. Raises what Pillow raises."""
    head = _head(file)
    if png.is_png(head):
        image = _opened(png.pixels_alone(file))
        image.info.update(png.colours(file))
        image.info.update(keys.of_png(image, file))
    elif jpeg.is_jpeg(head):
        image = _opened(jpeg.pixels_alone(file))
    elif tiff.is_tiff(head):
        image = _opened(tiff.pixels_alone(file))
    elif webp.is_webp(head):
        image = _opened(webp.sound(file))
    else:
        image = _opened(file)
        if image.format == "AVIF" and (nclx := boxes.nclx(file)):
            image.info["nclx_profile"] = nclx
    return image


def open_jpeg_with_end(file: IO[bytes]) -> Image.Image:
    return _opened(jpeg.with_end(file))


def orientation_of(image: Image.Image, file: IO[bytes]) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is absent or broken. `image` is
    `file` as opened by `open_pixels`."""
    try:
        opened = open_picture(file) if image.format in ("JPEG", "PNG") else image
        orientation = exif_of(opened).get(Base.Orientation, 1)
    except Exception:  # the parser raises anything at all for broken EXIF
        return 1
    return orientation if orientation in TURNS else 1


def exif_of(image: Image.Image) -> Image.Exif:
    """Return the EXIF of a picture from `open_picture`. Raises anything for broken EXIF."""
    # PNG's own getexif decodes the whole picture, in case the EXIF comes after the pixels.
    return Image.Image.getexif(image)


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(webp.HEAD)


def _opened(file: Any) -> Image.Image:
    file.seek(0)
    return Image.open(cast("IO[bytes]", file), formats=FORMATS)
