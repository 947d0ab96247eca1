"""Which files are accepted as pictures, and how all others are refused."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from gallery.errors import Refusal, TooLarge
from gallery.library.validation import inspect_picture
from gallery.pixels import isolation
from gallery.pixels.decode import decode
from tests import pictures


def refusal(data: bytes, name: str = "picture.jpg") -> Refusal:
    with pytest.raises(Refusal) as caught:
        inspect_picture(io.BytesIO(data), name)
    assert caught.value.field == "file"
    assert str(caught.value.message).endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("draw", "format_", "content_type", "extension"),
    [
        (pictures.jpeg, "JPEG", "image/jpeg", "jpg"),
        (pictures.mpo, "JPEG", "image/jpeg", "jpg"),
        (pictures.cmyk_jpeg, "JPEG", "image/jpeg", "jpg"),
        (pictures.grey_jpeg, "JPEG", "image/jpeg", "jpg"),
        (pictures.png, "PNG", "image/png", "png"),
        (pictures.png_16_bit, "PNG", "image/png", "png"),
        (pictures.palette_png_with_transparency, "PNG", "image/png", "png"),
        (pictures.one_bit_png, "PNG", "image/png", "png"),
        (pictures.webp, "WEBP", "image/webp", "webp"),
        (pictures.animated_webp, "WEBP", "image/webp", "webp"),
        (pictures.avif, "AVIF", "image/avif", "avif"),
        (pictures.heic, "HEIF", "image/heic", "heic"),
        (pictures.animated_gif, "GIF", "image/gif", "gif"),
        (pictures.tiff, "TIFF", "image/tiff", "tiff"),
        (pictures.multi_page_tiff, "TIFF", "image/tiff", "tiff"),
        (pictures.float_tiff, "TIFF", "image/tiff", "tiff"),
        (pictures.bmp, "BMP", "image/bmp", "bmp"),
    ],
)
def test_accepted_kinds(
    draw: Callable[[], bytes], format_: str, content_type: str, extension: str
) -> None:
    # The name says something else. The content decides.
    facts = inspect_picture(io.BytesIO(draw()), "notes.txt")

    assert (facts.format, facts.content_type, facts.extension) == (
        format_,
        content_type,
        extension,
    )
    assert (facts.width, facts.height) == (64, 48)


@pytest.mark.parametrize(
    ("draw", "size"),
    [(pictures.one_pixel, (1, 1)), (pictures.panorama, (20_000, 50))],
)
def test_extreme_sizes_are_accepted(draw: Callable[[], bytes], size: tuple[int, int]) -> None:
    facts = inspect_picture(io.BytesIO(draw()))

    assert (facts.width, facts.height) == size


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_that_of_the_upright_picture(format_: str, orientation: int) -> None:
    data = pictures.oriented(orientation, format_)

    facts = inspect_picture(io.BytesIO(data))

    assert (facts.width, facts.height) == (64, 48)
    upright = decode(io.BytesIO(data))
    assert upright.size == (64, 48)
    assert pictures.corner_names(upright) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        (pictures.broken_exif, (64, 48)),
        (pictures.exif_pointing_nowhere, (48, 64)),
        (pictures.exif_cut_off, (48, 64)),
        (pictures.png_with_broken_exif, (64, 48)),
        (pictures.exif_that_cannot_be_written_again, (48, 64)),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
def test_broken_exif_is_no_reason_to_refuse(
    draw: Callable[[], bytes], size: tuple[int, int]
) -> None:
    facts = inspect_picture(io.BytesIO(draw()))

    assert (facts.width, facts.height) == size
    assert decode(io.BytesIO(draw())).size == size


def test_empty_file() -> None:
    assert refusal(pictures.empty()).code == "empty_file"


def test_text_renamed_to_a_picture_names_the_extension() -> None:
    error = refusal(pictures.text(), "holiday.JPG")

    assert error.code == "not_a_picture"
    assert ".jpg" in str(error)


def test_text_under_its_own_name() -> None:
    error = refusal(pictures.text(), "notes.txt")

    assert error.code == "not_a_picture"
    assert "JPEG" in str(error)


@pytest.mark.parametrize(
    ("draw", "name", "kind"),
    [
        (pictures.svg, "logo.svg", "SVG"),
        (pictures.svg, "logo.png", "SVG"),
        (pictures.pdf, "scan.pdf", "PDF"),
        (pictures.eps, "figure.jpg", "PostScript"),
        (pictures.film, "film.heic", "MP4"),
        (lambda: b"\x1f\x8b" + bytes(100), "logo.svgz", "SVG"),
    ],
)
def test_other_formats_are_named_with_what_is_accepted(
    draw: Callable[[], bytes], name: str, kind: str
) -> None:
    error = refusal(draw(), name)

    assert error.code == "unsupported_format"
    assert kind in str(error)
    for accepted in ("JPEG", "PNG", "WebP", "AVIF", "HEIC", "GIF", "TIFF", "BMP"):
        assert accepted in str(error)


@pytest.mark.parametrize(
    "data",
    [
        pictures.saved(Image.new("RGB", (8, 8)), "PPM"),
        pictures.saved(Image.new("RGB", (8, 8)), "TGA"),
        pictures.saved(Image.new("RGB", (8, 8)), "ICO"),
        pictures.saved(Image.new("RGB", (8, 8)), "JPEG2000"),
    ],
    ids=["PPM", "TGA", "ICO", "JPEG2000"],
)
def test_other_decoders_are_out_of_reach(data: bytes) -> None:
    assert refusal(data).code in {"not_a_picture", "unsupported_format"}


@pytest.mark.parametrize(
    "data",
    [
        pictures.jpeg_header_only(),
        pictures.spoilt(pictures.png(640, 480)),
        pictures.truncated(pictures.avif(640, 480)),
        pictures.truncated(pictures.heic(640, 480)),
        pictures.truncated(pictures.tiff(640, 480)),
        pictures.spoilt(pictures.tiff(640, 480)),
    ],
    ids=["jpeg-header", "png", "avif-cut", "heic-cut", "tiff-without-directory", "tiff"],
)
def test_damaged_pictures(data: bytes) -> None:
    assert refusal(data).code == "damaged_picture"


def test_a_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    def must_not_decode(*job: object, **arguments: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(isolation, "run", must_not_decode)
    bomb = pictures.png_bomb()
    assert len(bomb) < 200_000

    error = refusal(bomb, "bomb.png")

    assert error.code == "too_many_pixels"
    assert "150" in str(error)


def test_pixel_limit_is_exact(settings) -> None:
    settings.MAX_PIXELS = 64 * 48
    inspect_picture(io.BytesIO(pictures.png()))

    settings.MAX_PIXELS = 64 * 48 - 1
    assert refusal(pictures.png()).code == "too_many_pixels"


def test_size_limit_is_exact(settings) -> None:
    data = pictures.png()
    settings.MAX_UPLOAD_BYTES = len(data)
    inspect_picture(io.BytesIO(data))

    settings.MAX_UPLOAD_BYTES = len(data) - 1
    error = refusal(data)
    assert isinstance(error, TooLarge)
    assert error.code == "too_large"


def test_uploaded_files_of_django_are_read_as_they_are() -> None:
    upload = SimpleUploadedFile("a.tiff", pictures.tiff(), "image/tiff")

    assert inspect_picture(upload, upload.name or "").format == "TIFF"


def test_an_error_of_the_disk_is_not_called_a_damaged_picture() -> None:
    class FailingDisk(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error"):
        inspect_picture(FailingDisk(pictures.jpeg(640, 480)))
