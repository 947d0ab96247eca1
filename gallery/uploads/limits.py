"""Refusals of files that are too large, with the limit in the sentence."""

from __future__ import annotations

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery.errors import TooLarge


def too_large() -> TooLarge:
    """The refusal of a picture whose size is known before all of it has arrived. The sentence
    is that of `library.validation`."""
    return TooLarge(
        "too_large",
        _(
            "This file is larger than %(limit)s MB. Save the picture smaller "
            "or with stronger compression and upload that."
        )
        % {"limit": _megabytes(settings.MAX_UPLOAD_BYTES)},
    )


def zip_too_large() -> TooLarge:
    return TooLarge(
        "too_large",
        _("This ZIP file is larger than %(limit)s MB. Split it and upload the parts.")
        % {"limit": _megabytes(settings.MAX_ZIP_BYTES)},
    )


def _megabytes(size: int) -> str:
    return number_format(size / 1024 / 1024, decimal_pos=0)
