"""The dominant colours on the page of a picture. Each one links to a search by that colour."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gallery.models import Image
from gallery.search.filters import colours


@dataclass(frozen=True)
class Dominant:
    """A dominant colour. `label` gives its name and its share of the picture."""

    hex: str
    label: str
    address: str


def palette_of(image: Image) -> list[Dominant]:
    """Return the colours, the largest first; none before a worker has analysed the picture."""
    return [
        Dominant(
            colour,
            _("Search for this colour: %(name)s, %(percent)d %%")
            % {"name": colours.called(colour), "percent": max(1, round(share * 100))},
            f"{reverse('search')}?{urlencode({'q': f'color:{colour}'})}",
        )
        for colour, share in image.palette
    ]
