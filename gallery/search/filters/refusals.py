"""Messages for invalid values of filters. A message names the filter by its key in a query line,
where nothing else tells which filter is meant, and says which values it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import django_filters
from django.utils.translation import gettext as _

from gallery.search.filters.fields import AlbumsFilter, ClockFilter, MomentFilter, YesNoFilter
from gallery.spelling import normalise_text

# Filters whose key in a query line differs from their name in the API.
_KEYS = {"taken_after": "after", "taken_before": "before", "size_min": "size", "size_max": "size"}
_SHOWN = 50


def sentence(
    name: str, kind: django_filters.Filter, params: Mapping[str, Any], error: Mapping[str, str]
) -> str:
    """Return the message for the filter `name` in `params`. `error` is the first error of its form,
    with `code` and `message`. Its message is kept if the field has one of its own."""
    template = _template(kind, error["code"])
    if template is None:
        return error["message"]
    return template % {
        "key": _key(name, params),
        # A value from JSON may have characters that a response cannot contain.
        "value": normalise_text(str(params.get(name)))[:_SHOWN],
        "choices": ", ".join(str(value) for value, _label in kind.extra.get("choices", ())),
        "most": kind.extra.get("max_length", 0),
    }


def _template(kind: django_filters.Filter, code: str) -> str | None:
    """Return the sentence for a kind of filter, with placeholders; None if the field has one."""
    if code == "null_characters_not_allowed":
        return _("“%(key)s:” cannot hold null characters: write it without them.")
    match kind:
        case MomentFilter() | ClockFilter():
            return _(
                "“%(key)s:” cannot be “%(value)s”: give a day, as 2024-05-31 or yesterday, "
                "or in a search also a month or a year, as 2024-05 or 2024."
            )
        case django_filters.NumberFilter():
            return _(
                "“%(key)s:” cannot be “%(value)s”: give megapixels from 0 to 100000, in a "
                "search as >4mp or <1.5mp, or there say small, medium or large."
            )
        case django_filters.ChoiceFilter():
            return _("“%(key)s:” cannot be “%(value)s”: say one of %(choices)s.")
        case YesNoFilter():
            return _("“%(key)s:” cannot be “%(value)s”: say true or false.")
        case AlbumsFilter():
            return _(
                "“%(key)s:” cannot be “%(value)s”: give the id of an album, "
                "or in a search also its title."
            )
        case django_filters.CharFilter() if code == "max_length":
            return _("“%(key)s:” has at most %(most)d characters.")
    return None


def _key(name: str, params: Mapping[str, Any]) -> str:
    """Return the key in a query line. Only `on:` gives two filters the same invalid value."""
    spans = {"taken_after", "taken_before"}
    if name in spans and params.get("taken_after") == params.get("taken_before"):
        return "on"
    return _KEYS.get(name, name)
