"""Colour spaces given by profile, code points or gamma: every function that decodes a picture gets
the same colours."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from gallery.pixels import boxes, code_points, colour
from gallery.pixels.decode import decode, decode_part, decode_rgb
from gallery.pixels.jobs import header_of, small_jpeg
from tests import bombs, pictures
from tests.bombs import png_chunk

PATCHES = ((200, 60, 40), (40, 150, 70), (60, 80, 210), (225, 170, 50), (128, 128, 128))


def patches(colours: Sequence[tuple[int, ...]] = PATCHES) -> Image.Image:
    image = Image.new("RGB", (64 * len(colours), 64))
    for number, colour_ in enumerate(colours):
        image.paste(colour_, (64 * number, 0, 64 * (number + 1), 64))
    return image


def seen(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert("RGB"), int)[32, 32::64]


def png_with(image: Image.Image, *chunks: bytes, **options: Any) -> bytes:
    whole = pictures.saved(image, "PNG", **options)
    return whole[:33] + b"".join(chunks) + whole[33:]


def decoded(data: bytes) -> np.ndarray[Any, Any]:
    return seen(decode(io.BytesIO(data)))


def assert_seen(data: bytes, colours: Any = PATCHES, within: int = 4) -> None:
    assert np.abs(decoded(data) - np.array(colours)).max() <= within


def gamma(value: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">L", round(value * 100_000)))


def chromaticity(primaries: tuple[float, ...]) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8L", *(round(one * 100_000) for one in primaries)))


def cicp(*values: int) -> bytes:
    return png_chunk(b"cICP", bytes(values))


def iccp(profile: bytes) -> bytes:
    return png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))


LINEAR = Image.fromarray(
    (code_points.srgb_curve(np.asarray(patches(), np.float32) / 255) * 255 + 0.5).astype(np.uint8)
)
# CSS Color 4, sample code for sRGB and Display P3.
TO_P3 = np.array([[0.82246, 0.17754, 0.0], [0.03319, 0.96681, 0.0], [0.01708, 0.07240, 0.91052]])
IN_P3 = [
    tuple(
        round(255 * (12.92 * one if one <= 0.0031308 else 1.055 * one ** (1 / 2.4) - 0.055))
        for one in TO_P3 @ code_points.srgb_curve(np.array(patch, np.float32) / 255)
    )
    for patch in PATCHES
]
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SWAPPED = pictures.profile_with_red_and_blue_exchanged()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RED_BLUE_EXCHANGED = [colour_[::-1] for colour_ in PATCHES]


# --- Code points and gamma ----------------------------------------------------------


def test_linear_samples() -> None:
    assert_seen(png_with(LINEAR, gamma(1.0)), within=6)
    assert_seen(png_with(LINEAR, gamma(1.0), chromaticity(code_points.SRGB)), within=6)


@pytest.mark.parametrize(
    "chunk", [cicp(12, 13, 0, 1), chromaticity(P3) + gamma(0.45455)], ids=["cICP", "cHRM"]
)
def test_primaries_of_p3(chunk: bytes) -> None:
    assert_seen(png_with(patches(IN_P3), chunk))


@pytest.mark.parametrize("format_", ["AVIF", "HEIF"])
def test_primaries_told_by_nclx(format_: str) -> None:
    data = with_nclx(format_, patches(IN_P3), 12, 13)

    assert_seen(data, within=8)


def with_nclx(format_: str, image: Image.Image, primaries: int, transfer: int) -> bytes:
    if format_ == "HEIF":
        return pictures.saved(
            image, "HEIF", quality=95, chroma=444, color_primaries=primaries,
            transfer_characteristics=transfer, matrix_coefficients=6, full_range_flag=1,
        )  # fmt: skip
    whole = pictures.saved(image, "AVIF", quality=95, subsampling="4:4:4", speed=10)
    at = whole.index(b"colrnclx") + 8
    return whole[:at] + struct.pack(">HH", primaries, transfer) + whole[at + 4 :]


def test_the_main_picture_decides_and_not_another_one() -> None:
    whole = bombs.Heif(b"avif")
    for number in (9, 12):
        whole.property(bombs.box(b"colr", b"nclx" + struct.pack(">HHHB", number, 13, 6, 128)))
    whole.item(b"av01", (0, 0), [1])
    main = whole.item(b"av01", (0, 0), [2])

    found = boxes.nclx(io.BytesIO(whole.file(main)))

    assert found == {"color_primaries": 12, "transfer_characteristics": 13}
    assert boxes.nclx(io.BytesIO(b"\0\0\0\x10ftypavif" + bytes(4))) is None


@pytest.mark.parametrize(
    "chunk",
    [
        cicp(1, 13, 0, 1),
        cicp(1, 1, 0, 1),  # BT.709, as programs write it for sRGB
        cicp(2, 2, 0, 1),
        cicp(99, 13, 0, 1),  # not known
        cicp(12, 13, 6, 1),  # a matrix, which is wrong for RGB
        gamma(0.45455) + chromaticity(code_points.SRGB),
        gamma(0.0),
        gamma(9_999.0),
        chromaticity((0.0,) * 8),
        chromaticity((0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)),
        gamma(1.0) + png_chunk(b"sRGB", b"\0"),
        gamma(1.0) + iccp(SRGB),
        gamma(1.0) + cicp(1, 13, 0, 1),
        iccp(SRGB[:600]),
    ],
    ids=lambda chunk: chunk[4:8].decode(),
)
def test_what_is_srgb_stays_as_it_is(chunk: bytes) -> None:
    assert_seen(png_with(patches(), chunk), within=1)


def test_the_order_of_png() -> None:
    exchanged = iccp(SWAPPED)

    assert_seen(png_with(patches(), exchanged, png_chunk(b"sRGB", b"\0")), RED_BLUE_EXCHANGED)
    assert_seen(png_with(patches(), gamma(1.0), exchanged), RED_BLUE_EXCHANGED)
    assert_seen(png_with(patches(IN_P3), cicp(12, 13, 0, 1), exchanged))
    # If a profile is unusable, the next statement counts.
    assert_seen(png_with(LINEAR, iccp(b"none" * 99), gamma(1.0)), within=6)


def test_narrow_samples() -> None:
    narrow = Image.fromarray((np.asarray(patches(), float) / 255 * 219 + 16.5).astype(np.uint8))

    assert_seen(png_with(narrow, cicp(1, 13, 0, 0)))


def hdr(transfer: int, peak: float = 1.0) -> Image.Image:
    """Return the patches in BT.2020, with white at 203 cd/m² (times `peak`)."""
    linear = code_points.srgb_curve(np.asarray(patches(), np.float32) / 255) * peak
    to_2020 = np.linalg.inv(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    )  # ITU-R BT.2087-0, annex 1
    light = np.clip(linear @ to_2020.T, 0, None) * 203
    if transfer == code_points.PQ:
        y = (light / 10_000) ** (2610 / 16384)
        value = ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375
    else:
        luminance = light @ np.array([0.2627, 0.6780, 0.0593])
        scene = light / 1000 * (np.maximum(luminance, 1e-6)[..., None] / 1000) ** (1 / 1.2 - 1)
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        value = np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)
    return Image.fromarray((np.clip(value, 0, 1) * 255 + 0.5).astype(np.uint8))


@pytest.mark.parametrize("transfer", [code_points.PQ, code_points.HLG])
def test_hdr_is_brought_to_what_a_screen_shows(transfer: int) -> None:
    assert_seen(png_with(hdr(transfer), cicp(9, transfer, 0, 1)), within=16)
    # Dark values of one channel are coarse in 8 bits, and lossy, too.
    assert_seen(with_nclx("HEIF", hdr(transfer), 9, transfer), within=32)
    assert_seen(with_nclx("AVIF", hdr(transfer), 9, transfer), within=32)


@pytest.mark.parametrize("transfer", [code_points.PQ, code_points.HLG])
def test_highlights_keep_their_colours_and_their_order(transfer: int) -> None:
    bright, brighter = (
        decoded(png_with(hdr(transfer, peak), cicp(9, transfer, 0, 1))) for peak in (1.5, 4.0)
    )

    assert (brighter.max(axis=1) >= bright.max(axis=1)).all()
    assert brighter.max() < 255
    assert np.ptp(brighter[0]) > 100  # red is not white


@pytest.mark.parametrize("transfer", sorted(code_points.CURVES))
def test_every_curve_goes_up_from_black_to_white(transfer: int) -> None:
    light = code_points.CURVES[transfer](np.arange(256, dtype=np.float32) / 255)

    assert light.dtype == np.float32
    assert (np.diff(light) >= 0).all()
    assert light[0] == pytest.approx(0, abs=1e-3)
    assert light[255] >= 0.99


@pytest.mark.parametrize("primaries", sorted(code_points.PRIMARIES))
def test_white_is_white_in_every_space(primaries: int) -> None:
    space = code_points.of_code_points(primaries, 13)
    assert space is not None

    white = space.to_srgb(Image.new("RGB", (2, 2), "white"))

    assert min(white.getpixel((0, 0))) >= 253  # type: ignore[arg-type, type-var]


# --- Profiles in every mode ---------------------------------------------------------


def grey_profile(exponent: float) -> bytes:
    """Return an ICC profile of grey with one gamma (ICC.1:2001-04, 6.3.1.1)."""
    curve = b"curv" + bytes(4) + struct.pack(">LH", 1, round(exponent * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">3l", 63190, 65536, 54061)
    name = b"desc" + bytes(4) + struct.pack(">L", 2) + b"g\0" + bytes(78)
    parts = [(b"wtpt", white), (b"kTRC", curve), (b"desc", name)]
    table, body = b"", b""
    at = 128 + 4 + 12 * len(parts)
    for tag, data in parts:
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">LL", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">L4sL4s4s4s", size, bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3l", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">L", len(parts)) + table + body


def in_mode(mode: str) -> bytes:
    image = patches()
    if mode == "P with transparency":
        # One entry is half transparent, and does not occur in the patches.
        palette = image.quantize(16)
        return pictures.saved(
            palette, "PNG", icc_profile=SWAPPED, transparency=bytes([255] * 15 + [128])
        )
    if mode == "TIFF":
        return pictures.saved(image, "TIFF", icc_profile=SWAPPED)
    if mode in ("JPEG", "WEBP", "AVIF", "HEIF"):
        return pictures.saved(image, mode, quality=95, icc_profile=SWAPPED)
    converted = image.quantize(16) if mode == "P" else image.convert(mode)
    return pictures.saved(converted, "PNG", icc_profile=SWAPPED)


@pytest.mark.parametrize(
    "mode",
    ["RGB", "RGBA", "P", "P with transparency", "TIFF", "JPEG", "WEBP", "AVIF", "HEIF"],
)
def test_a_profile_counts_in_every_mode(mode: str) -> None:
    assert_seen(
        in_mode(mode), RED_BLUE_EXCHANGED, within=24 if mode.isupper() and len(mode) > 3 else 4
    )


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16", "L with a key"])
def test_a_profile_of_grey_counts_in_every_mode(mode: str) -> None:
    grey = Image.new("L", (64, 64), 128)
    if mode == "I;16":
        image = Image.fromarray(np.full((64, 64), 128 * 257, np.uint16))
    else:
        image = grey.convert(mode.split()[0])
    options = {"transparency": 7} if "key" in mode else {}
    plain, dark = (
        decode(io.BytesIO(pictures.saved(image, "PNG", icc_profile=profile, **options))).getpixel(
            (32, 32)
        )
        for profile in (None, grey_profile(4.0))
    )

    if mode == "1":
        assert plain == dark  # black and white have no middle
    else:
        # .5 to the power of 4 is .0625 of the light, 71 in sRGB.
        assert plain == pytest.approx((128, 128, 128), abs=1)
        assert dark == pytest.approx((71, 71, 71), abs=4)


def test_grey_with_a_profile_of_colours() -> None:
    image = Image.new("L", (8, 8), 128)

    assert decode(io.BytesIO(pictures.saved(image, "PNG", icc_profile=SWAPPED))).getpixel(
        (4, 4)
    ) == pytest.approx((128, 128, 128), abs=2)


@pytest.mark.parametrize(
    "profile",
    [b"", b"x" * 400, SRGB[:300], None, 17, SRGB * 9000],
    ids=["empty", "no profile", "cut off", "none", "a number", "too large"],
)
def test_a_profile_that_cannot_be_used_is_none(profile: Any) -> None:
    assert colour.to_srgb({"icc_profile": profile}, "RGB") is None


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_profile_of_srgb_asks_for_nothing(mode: str) -> None:
    assert colour.to_srgb({"icc_profile": SRGB}, mode) is None
    assert colour.to_srgb({"icc_profile": SWAPPED}, "RGB") is not None


def test_everybody_sees_the_same_colours() -> None:
    data = png_with(patches(IN_P3), cicp(12, 13, 0, 1))
    file = io.BytesIO(data)
    small = Image.open(io.BytesIO(small_jpeg(file, header_of(file), 1024, 2560, 95)))

    for image in (decode_rgb(file), decode_part(file, (0, 0, 1, 1)), small):
        assert np.abs(seen(image) - np.array(PATCHES)).max() <= 8
