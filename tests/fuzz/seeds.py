"""Good pictures of every accepted kind, to be made bad."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, PngImagePlugin

from tests import bombs, pictures
from tests.pictures import drawing, saved

Draw = Callable[[], bytes]

_TIFF_COMPRESSIONS = (
    "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "lzma", "zstd"
)  # fmt: skip


def _deep(dtype: type, mode: str | None = None) -> Image.Image:
    values = np.linspace(0, 60_000, 64 * 48).reshape(48, 64).astype(dtype)
    image = Image.fromarray(values)
    return image.convert(mode) if mode else image


def _with_alpha(mode: str = "RGBA") -> Image.Image:
    image = drawing().convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _frames(mode: str = "RGB") -> list[Image.Image]:
    size = (64, 48)
    return [drawing().convert(mode), Image.new("RGB", size, "black").convert(mode), drawing()]


def _animated(format_: str, frames: list[Image.Image], **options: object) -> bytes:
    options = {"save_all": True, "append_images": frames[1:], "duration": 50, **options}
    return saved(frames[0], format_, **options)


def _described() -> dict[str, object]:
    """Return further data that files can carry."""
    exif = pictures.exif_block(orientation=6, main={271: "Maker"}, photo={37386: (50, 1)})
    return {"exif": exif, "icc_profile": pictures.profile_with_red_and_blue_exchanged()}


def _png_texts() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 500, zip=True)
    texts.add_itxt("Title", "照片" * 50, "zh", "标题", zip=True)
    return saved(drawing(), "PNG", pnginfo=texts, **_described())


def _raw_tiff(**options: object) -> Draw:
    """Draw a TIFF that Pillow reads but does not write."""
    return lambda: bombs.tiff(64, 48, **options)  # type: ignore[arg-type]


def _noise(size: int) -> bytes:
    return np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes()


SEEDS: dict[str, Draw] = {
    # JPEG
    "jpeg": pictures.jpeg,
    "jpeg-described": lambda: saved(drawing(), "JPEG", xmp=b"<x:xmpmeta/>", **_described()),
    "jpeg-progressive": lambda: pictures.jpeg(progressive=True, subsampling=0),
    "jpeg-411": lambda: pictures.jpeg(subsampling="4:1:1"),
    "jpeg-restarts": lambda: pictures.jpeg(restart_marker_blocks=1),
    "jpeg-grey": pictures.grey_jpeg,
    "jpeg-cmyk": pictures.cmyk_jpeg,
    "jpeg-empty-scans": lambda: bombs.jpeg(64, 48, components=3, progressive=True, scans=9),
    "jpeg-larger": lambda: pictures.jpeg(700, 500),
    "mpo": pictures.mpo,
    # PNG
    "png": pictures.png,
    "png-described": _png_texts,
    "png-16-bit": pictures.png_16_bit,
    "png-16-bit-rgba": lambda: bombs.png(64, 48, 16, 6),
    "png-16-bit-grey-alpha": lambda: bombs.png(64, 48, 16, 4),
    "png-palette-alpha": pictures.palette_png_with_transparency,
    "png-grey-alpha": lambda: saved(_with_alpha("LA"), "PNG"),
    "png-rgba": lambda: saved(_with_alpha(), "PNG"),
    "png-one-bit": pictures.one_bit_png,
    "png-interlaced": lambda: bombs.png(64, 48, 8, 2, interlaced=True),
    "png-interlaced-palette": lambda: bombs.png(
        64, 48, 4, 3, interlaced=True, before=(bombs.PALETTE, bombs.PALETTE_ALPHA)
    ),
    "png-animated": lambda: _animated("PNG", _frames(), default_image=True),
    # WebP
    "webp": pictures.webp,
    "webp-described": lambda: saved(drawing(), "WEBP", xmp=b"<x:xmpmeta/>", **_described()),
    "webp-lossless": lambda: saved(drawing(), "WEBP", lossless=True),
    "webp-alpha": lambda: saved(_with_alpha(), "WEBP", quality=70),
    "webp-lossless-alpha": lambda: saved(_with_alpha(), "WEBP", lossless=True),
    "webp-animated": lambda: _animated("WEBP", _frames()),
    "webp-animated-alpha": lambda: _animated("WEBP", [_with_alpha(), *_frames()], lossless=True),
    # AVIF
    "avif": pictures.avif,
    "avif-described": lambda: saved(drawing(), "AVIF", speed=10, **_described()),
    "avif-alpha": lambda: saved(_with_alpha(), "AVIF", speed=10),
    "avif-444": lambda: saved(drawing(), "AVIF", speed=10, subsampling="4:4:4"),
    "avif-animated": lambda: _animated("AVIF", _frames(), speed=10),
    "avif-grid": lambda: bombs.heif_grid("AVIF", 64, 2, 2, (128, 128)),
    # HEIC
    "heic": pictures.heic,
    "heic-described": lambda: saved(drawing(), "HEIF", **_described()),
    "heic-alpha": lambda: saved(_with_alpha(), "HEIF"),
    "heic-several": lambda: _animated("HEIF", _frames()),
    "heic-10-bit": lambda: saved(_deep(np.uint16), "HEIF"),
    "heic-grid": lambda: bombs.heif_grid("HEIF", 64, 2, 2, (128, 128)),
    "heic-grid-cut": lambda: bombs.heif_grid("HEIF", 64, 3, 3, (150, 140)),
    "heic-overlay": lambda: bombs.heif_overlay((128, 128)),
    "heic-large-alpha": lambda: bombs.heif_alpha("HEIF", 64, 128),
    # GIF
    "gif": lambda: saved(drawing(), "GIF"),
    "gif-animated": lambda: _animated("GIF", _frames("P"), disposal=2, loop=0, comment=b"x" * 300),
    "gif-transparent": lambda: _animated("GIF", [_with_alpha(), *_frames()], transparency=0),
    "gif-small-frames": lambda: bombs.gif((64, 48), (1, 1), 5),
    # TIFF
    "tiff-raw": lambda: saved(drawing(), "TIFF"),
    **{
        f"tiff-{name}": (lambda name=name: saved(drawing(), "TIFF", compression=name))  # type: ignore[misc]
        for name in _TIFF_COMPRESSIONS
    },
    **{
        f"tiff-{name}": (lambda name=name: saved(drawing().convert("1"), "TIFF", compression=name))  # type: ignore[misc]
        for name in ("group3", "group4", "tiff_ccitt")
    },
    "tiff-described": lambda: saved(drawing(), "TIFF", **_described()),
    "tiff-strips": lambda: saved(drawing(), "TIFF", compression="tiff_lzw", strip_size=1_000),
    "tiff-pages": pictures.multi_page_tiff,
    "tiff-big": lambda: saved(drawing(), "TIFF", big_tiff=True, compression="zstd"),
    "tiff-float": pictures.float_tiff,
    "tiff-float-zstd": lambda: saved(_deep(np.float32), "TIFF", compression="zstd"),
    "tiff-16-bit": lambda: saved(_deep(np.uint16), "TIFF", compression="tiff_lzw"),
    "tiff-32-bit": lambda: saved(_deep(np.int32), "TIFF", compression="tiff_adobe_deflate"),
    "tiff-palette": lambda: saved(drawing().convert("P"), "TIFF", compression="tiff_lzw"),
    "tiff-cmyk": lambda: saved(drawing().convert("CMYK"), "TIFF", compression="lzma"),
    "tiff-lab": lambda: saved(drawing().convert("LAB"), "TIFF"),
    "tiff-ycbcr": lambda: saved(drawing().convert("YCbCr"), "TIFF", compression="tiff_lzw"),
    "tiff-rgba": lambda: saved(_with_alpha(), "TIFF", compression="packbits"),
    "tiff-grey-alpha": lambda: saved(_with_alpha("LA"), "TIFF", compression="tiff_lzw"),
    "tiff-tiles": _raw_tiff(
        tile=(32, 32), shared=_noise(32 * 32 * 3), pieces=4, bits=(8, 8, 8), photometric=2
    ),
    "tiff-tiles-zstd": _raw_tiff(
        tile=(32, 32), shared=bombs.zeros_zstd(32 * 32 * 3), pieces=4, bits=(8, 8, 8),
        photometric=2, compression=bombs.ZSTD,
    ),
    "tiff-planar": _raw_tiff(
        planar=2, shared=_noise(64 * 48), pieces=3, bits=(8, 8, 8), photometric=2
    ),
    "tiff-planar-zstd": _raw_tiff(
        planar=2, shared=bombs.zeros_zstd(64 * 48), pieces=3, bits=(8, 8, 8), photometric=2,
        compression=bombs.ZSTD,
    ),
    "tiff-rgb-16-bit": _raw_tiff(
        strips=[bombs.zeros_zstd(64 * 48 * 6)], bits=(16, 16, 16), photometric=2,
        compression=bombs.ZSTD,
    ),
    "tiff-premultiplied": _raw_tiff(
        strips=[bombs.zeros_zstd(64 * 48 * 4)], bits=(8,) * 4, photometric=2,
        compression=bombs.ZSTD, extra={338: (bombs.SHORT, [1])},
    ),
    # BMP
    "bmp": pictures.bmp,
    "bmp-palette": lambda: saved(drawing().convert("P"), "BMP"),
    "bmp-one-bit": lambda: saved(drawing().convert("1"), "BMP"),
    "bmp-run-length": lambda: bombs.bmp_run_length(64, 255),
    "bmp-rgba": lambda: saved(_with_alpha(), "BMP"),
}  # fmt: skip
