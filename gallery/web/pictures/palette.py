"""The dominant colours on the page of a picture, each a search for pictures like it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gallery.models import Image
from gallery.search.filters import colours


@dataclass(frozen=True)
class Dominant:
    """`label` says what it is called and how much of the picture it is."""

    hex: str
    label: str
    address: str


def palette_of(image: Image) -> list[Dominant]:
    """The largest first; none before a worker has looked at the picture."""
    return [
        Dominant(
            colour,
            _("Search for this colour: %(name)s, %(percent)d %%")
            % {"name": colours.called(colour), "percent": max(1, round(share * 100))},
            f"{reverse('search')}?{urlencode({'q': f'color:{colour}'})}",
        )
        for colour, share in image.palette
    ]
