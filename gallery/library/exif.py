"""EXIF, cleaned for the database: the camera, its settings and its position. The date comes
from more sources than EXIF (gallery.library.taken).

Every value is untrusted. Values that make no sense are left out; a picture is never refused
because of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from gallery.library.exif_values import MOST_TEXT, Tags, number, text
from gallery.pixels.opening import exif_of

logger = logging.getLogger(__name__)

# Programs write zeros without a GPS fix. In degrees; 11 m on the ground.
_NOWHERE = 1e-4


@dataclass(frozen=True)
class Directories:
    """The directories of EXIF; empty if they are absent or cannot be read."""

    main: Tags = field(default_factory=dict)
    photo: Tags = field(default_factory=dict)
    gps: Tags = field(default_factory=dict)


def read_directories(image: Image.Image) -> Directories:
    """Read the EXIF directories of a picture from `open_picture`."""
    try:
        exif = exif_of(image)
        main = dict(exif)
    except Exception as error:  # the parser raises anything at all for broken EXIF
        logger.info("EXIF cannot be read: %s: %s", type(error).__name__, error)
        return Directories()
    return Directories(main, _directory(exif, IFD.Exif), _directory(exif, IFD.GPSInfo))


def _directory(exif: Image.Exif, tag: int) -> Tags:
    try:
        return exif.get_ifd(tag)
    except Exception as error:  # as above, for an offset into nowhere
        logger.info("EXIF directory %#x cannot be read: %s", tag, error)
        return {}


# --- Camera and settings -----------------------------------------------------------


def _positive(value: object) -> float | None:
    found = number(value)
    return round(found, 6) if found is not None and found > 0 else None


def _bias(value: object) -> float | None:
    found = number(value)
    return round(found, 2) if found is not None and abs(found) <= 20 else None


def _fired(value: object) -> bool | None:
    found = number(value)
    return bool(int(found) & 1) if found is not None else None


_SETTINGS: tuple[tuple[str, int, Callable[[object], float | str | bool | None]], ...] = (
    ("exposure_time", Base.ExposureTime, _positive),
    ("exposure_bias", Base.ExposureBiasValue, _bias),
    ("f_number", Base.FNumber, _positive),
    ("iso", Base.ISOSpeedRatings, _positive),
    ("focal_length", Base.FocalLength, _positive),
    ("focal_length_35mm", Base.FocalLengthIn35mmFilm, _positive),
    ("lens", Base.LensModel, lambda value: text(value) or None),
    ("flash", Base.Flash, _fired),
)


def settings_of(photo: Tags) -> dict[str, float | str | bool]:
    values = ((key, clean(photo.get(tag))) for key, tag, clean in _SETTINGS)
    return {key: value for key, value in values if value is not None}


def camera_of(main: Tags) -> str:
    """Make and model, without the make twice: "NIKON CORPORATION" and "NIKON D850"
    are one "NIKON D850"."""
    make, model = text(main.get(Base.Make)), text(main.get(Base.Model))
    brand = make.split(" ")[0].casefold()
    if not model or (brand and model.casefold().startswith(brand)):
        return model or make
    return f"{make} {model}".strip()[:MOST_TEXT]


# --- Place ------------------------------------------------------------------------


def position_of(gps: Tags) -> tuple[float, float] | tuple[None, None]:
    """Return latitude and longitude in degrees. 0° N 0° E counts as unknown."""
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "S", 90)
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "W", 180)
    if latitude is None or longitude is None:
        return None, None
    if abs(latitude) < _NOWHERE and abs(longitude) < _NOWHERE:
        return None, None
    return latitude, longitude


def _degrees(parts: object, reference: object, negative: str, limit: float) -> float | None:
    """Degrees, minutes and seconds -> signed degrees, or None if not within `limit`. Minutes
    and seconds may be missing or 0/0."""
    if not isinstance(parts, tuple):
        parts = (parts,)
    if not 1 <= len(parts) <= 3:
        return None
    first, *others = (number(part) for part in parts)
    if first is None or first < 0:
        return None
    smaller = [0.0 if other is None else other for other in others]
    if any(not 0 <= other <= 60 for other in smaller):
        return None
    degrees = first + sum(other / 60**power for power, other in enumerate(smaller, 1))
    if degrees > limit:
        return None
    sign = -1 if text(reference).upper().startswith(negative) else 1
    return round(sign * degrees, 7) + 0.0  # no “-0.0”
