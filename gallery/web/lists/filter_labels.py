"""The labels of active filters, for the chips of a list and of a query."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.errors import Sentence
from gallery.models import Image
from gallery.search.filters import colours, ratings

# Labels by filter and by value as in an address.
CHOICES: dict[str, dict[str, Sentence]] = {
    "orientation": {
        "landscape": gettext_lazy("Landscape"),
        "portrait": gettext_lazy("Portrait"),
        "square": gettext_lazy("Square"),
    },
    "visibility": {
        Image.Visibility.PRIVATE.value: gettext_lazy("Private"),
        Image.Visibility.UNLISTED.value: gettext_lazy("Anyone with the link"),
        Image.Visibility.PUBLIC.value: gettext_lazy("Public"),
    },
    "state": {
        "ready": gettext_lazy("Searchable"),
        "pending": gettext_lazy("Not searchable yet"),
        "failed": gettext_lazy("Failed"),
    },
    "favourite": {
        "true": gettext_lazy("Favourites"),
        "false": gettext_lazy("No favourites"),
    },
    "rating": {
        ">=1": gettext_lazy("★ and more"),
        ">=2": gettext_lazy("★★ and more"),
        ">=3": gettext_lazy("★★★ and more"),
        ">=4": gettext_lazy("★★★★ and more"),
        "5": gettext_lazy("★★★★★"),
        "0": gettext_lazy("No stars"),
    },
    "archived": {
        "true": gettext_lazy("Archived"),
        "false": gettext_lazy("Not archived"),
    },
}


def _rating(value: str) -> str:
    found = ratings.parse(value)
    if found is None:
        return value
    known = CHOICES["rating"].get(ratings.canonical(value) or value)
    if known is not None:
        return str(known)
    least, most = found
    stars = "★" * most
    return stars if least == most else _("%(stars)s or fewer") % {"stars": stars}


def label(name: str, value: str) -> str:
    """Return the label of a filter. Dates and ids of albums have theirs elsewhere: these depend
    on the language's calendar and on the viewer."""
    match name:
        case "id":  # an id tells people nothing
            return _("One picture")
        case "owner":
            return _("Mine") if value == "me" else _("By %(name)s") % {"name": value}
        case "tag":
            return f"#{value}"
        case "color":
            colour = colours.canonical(value)
            return colours.label(colour) if colour else value
        case "words":
            return _("Words: %(words)s") % {"words": value}
        case "rating":
            return _rating(value)
        case "size_min":
            return _("%(size)s MP or more") % {"size": value}
        case "size_max":
            return _("Under %(size)s MP") % {"size": value}
    return str(CHOICES.get(name, {}).get(value, value))
