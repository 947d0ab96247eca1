"""Camera settings in the usual notation of photographers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def exif_lines(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (name, value) for each known setting, in the usual order.

    `settings` is `Image.exif`, made by gallery.library.exif.
    """
    return [(str(name), write(settings[key])) for key, name, write in _LINES if key in settings]


def _exposure(seconds: float) -> str:
    if seconds >= 0.3:
        return f"{_plain(seconds)} s"
    return f"1/{round(1 / Fraction(seconds).limit_denominator(100_000))} s"


def _plain(value: float) -> str:
    """Format with one decimal, or without if that is 0."""
    tenths = round(float(value), 1)
    return number_format(tenths, 0 if tenths.is_integer() else 1)


def _bias(value: float) -> str:
    return f"{value:+.1f} EV"


def _flash(fired: bool) -> str:
    return _("fired") if fired else _("off")


_LINES: list[tuple[str, str | Promise, Callable[[Any], str]]] = [
    ("lens", gettext_lazy("Lens"), str),
    ("focal_length", gettext_lazy("Focal length"), lambda value: f"{_plain(value)} mm"),
    (
        "focal_length_35mm",
        gettext_lazy("As on 35 mm film"),
        lambda value: f"{_plain(value)} mm",
    ),
    ("f_number", gettext_lazy("Aperture"), lambda value: f"f/{_plain(value)}"),
    ("exposure_time", gettext_lazy("Exposure"), _exposure),
    ("exposure_bias", gettext_lazy("Compensation"), _bias),
    ("iso", gettext_lazy("ISO"), lambda value: str(round(value))),
    ("flash", gettext_lazy("Flash"), _flash),
]
