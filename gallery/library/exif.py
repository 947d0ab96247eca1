"""What a camera wrote beside the picture, cleaned for the database.

Every value comes from outside: rationals with a zero below, dates that never
were, text with NUL characters (PostgreSQL refuses them), offsets into nowhere.
What cannot be understood is left out; a picture is never refused for it.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import IO, Any

from django.utils import timezone
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from gallery.pixels.opening import exif_of, open_picture

logger = logging.getLogger(__name__)

Tags = Mapping[int, Any]

_FIRST_PHOTOGRAPH = 1826
_MAX_TEXT = 200


@dataclass(frozen=True)
class ExifFacts:
    """Times are aware. Latitude and longitude are degrees, both known or neither.

    `settings` is JSON: exposure_time (seconds), exposure_bias (EV), f_number,
    iso, focal_length and focal_length_35mm (millimetres), lens, flash (fired).
    """

    captured_at: datetime | None = None
    camera: str = ""
    latitude: float | None = None
    longitude: float | None = None
    settings: dict[str, float | str | bool] = field(default_factory=dict)


def read_exif(file: IO[bytes]) -> ExifFacts:
    """The EXIF of the picture in `file`; empty facts where there is none to read."""
    try:
        exif = exif_of(open_picture(file))
        camera = _camera(_text(exif.get(Base.Make)), _text(exif.get(Base.Model)))
    except Exception as error:  # the parser raises anything at all for broken EXIF
        logger.info("EXIF cannot be read: %s: %s", type(error).__name__, error)
        return ExifFacts()
    photo = _ifd(exif, IFD.Exif)
    latitude, longitude = _position(_ifd(exif, IFD.GPSInfo))
    return ExifFacts(
        captured_at=_captured_at(photo),
        camera=camera,
        latitude=latitude,
        longitude=longitude,
        settings=_settings(photo),
    )


def _ifd(exif: Image.Exif, tag: int) -> Tags:
    try:
        return exif.get_ifd(tag)
    except Exception as error:  # as above, for an offset into nowhere
        logger.info("EXIF directory %#x cannot be read: %s", tag, error)
        return {}


# --- Values ---------------------------------------------------------------------


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    # Cameras pad with NULs and blanks; surrogates cannot be stored as UTF-8.
    printable = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", value.split("\x00")[0])
    return " ".join(printable.split())[:_MAX_TEXT]


def _number(value: object) -> float | None:
    """A finite float, or None. Pillow's rationals allow a zero denominator."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _positive(value: object) -> float | None:
    number = _number(value)
    return round(number, 6) if number is not None and number > 0 else None


def _bias(value: object) -> float | None:
    number = _number(value)
    return round(number, 2) if number is not None and abs(number) <= 20 else None


def _fired(value: object) -> bool | None:
    number = _number(value)
    return bool(int(number) & 1) if number is not None else None


# --- Facts ----------------------------------------------------------------------

_SETTINGS: tuple[tuple[str, int, Callable[[object], float | str | bool | None]], ...] = (
    ("exposure_time", Base.ExposureTime, _positive),
    ("exposure_bias", Base.ExposureBiasValue, _bias),
    ("f_number", Base.FNumber, _positive),
    ("iso", Base.ISOSpeedRatings, _positive),
    ("focal_length", Base.FocalLength, _positive),
    ("focal_length_35mm", Base.FocalLengthIn35mmFilm, _positive),
    ("lens", Base.LensModel, lambda value: _text(value) or None),
    ("flash", Base.Flash, _fired),
)


def _settings(photo: Tags) -> dict[str, float | str | bool]:
    values = ((key, clean(photo.get(tag))) for key, tag, clean in _SETTINGS)
    return {key: value for key, value in values if value is not None}


def _camera(make: str, model: str) -> str:
    """Make and model, without the make twice: "NIKON CORPORATION" and "NIKON D850"
    are one "NIKON D850"."""
    brand = make.split(" ")[0].casefold()
    if not model or (brand and model.casefold().startswith(brand)):
        return model or make
    return f"{make} {model}".strip()[:_MAX_TEXT]


def _captured_at(photo: Tags) -> datetime | None:
    for when, offset in (
        (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
        (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    ):
        taken = _moment(_text(photo.get(when)), _text(photo.get(offset)))
        if taken is not None:
            return taken
    return None


def _moment(when: str, offset: str) -> datetime | None:
    """ "2024:05:01 12:30:00" and "+08:00" -> an aware time, in the installation's
    time zone where the camera did not say which; None for an impossible date."""
    try:
        naive = datetime.strptime(when[:19], "%Y:%m:%d %H:%M:%S")
        if naive.year < _FIRST_PHOTOGRAPH:
            return None
        zone = _zone(offset)
        taken = naive.replace(tzinfo=zone) if zone else timezone.make_aware(naive)
        # A day of grace: the camera's clock may run in another zone.
        return taken if taken.astimezone(UTC) < timezone.now() + timedelta(days=1) else None
    except (ValueError, OverflowError):
        return None


def _zone(offset: str) -> tzinfo | None:
    try:
        return datetime.strptime(offset, "%z").tzinfo
    except ValueError:  # absent, or the "   :  " of a camera that does not know
        return None


def _position(gps: Tags) -> tuple[float, float] | tuple[None, None]:
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "S", 90)
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "W", 180)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(parts: object, reference: object, negative: str, limit: float) -> float | None:
    """(degrees, minutes, seconds) -> signed degrees, or None if not within `limit`."""
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None or number < 0 for number in numbers):
        return None
    degrees = sum((number or 0.0) / 60**power for power, number in enumerate(numbers))
    if degrees > limit:
        return None
    return round(-degrees if _text(reference).upper() == negative else degrees, 7)
