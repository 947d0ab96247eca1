"""Queries: positive and negative terms, and filters.

A query has two written forms: JSON, as in the API (`Query.from_json`), and one line of text, as in
the search bar and in addresses (gallery.search.query.syntax). Both are canonical: parsing rounds
numbers and normalises texts, so a query that is written and parsed again is the same query.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import django_filters
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.search.filters import categories, dates, ratings
from gallery.search.filters.fields import (
    CategoriesFilter,
    ClockFilter,
    ColoursFilter,
    IdsFilter,
    MomentFilter,
    NamesFilter,
    RatingFilter,
    YesNoFilter,
)
from gallery.search.filters.image_filter import ImageFilter, is_unicode
from gallery.spelling import normalise_text

MAX_TERMS = 12
MAX_TERM_CHARACTERS = 1000
MAX_FILTER_CHARACTERS = 1000
# Weights lie in [-MAX_WEIGHT, MAX_WEIGHT]. 0 is refused.
MAX_WEIGHT = 2.0
# The decimal places of a weight, of a share of a picture and of megapixels.
WEIGHT_DIGITS = 3
SHARE_DIGITS = 4
SIZE_DIGITS = 3
# The least share of a side. A smaller crop is a slip of the hand.
MIN_CROP_SHARE = 0.01


def _names_of(*kinds: type[django_filters.Filter]) -> frozenset[str]:
    found = ImageFilter.base_filters.items()
    return frozenset(name for name, each in found if isinstance(each, kinds))


FILTER_NAMES = frozenset(ImageFilter.base_filters)
# Filters that take several values.
LIST_FILTERS = _names_of(IdsFilter, NamesFilter, ColoursFilter, CategoriesFilter)
# Filters of which a value may be negative.
NEGATIVE_FILTERS = _names_of(CategoriesFilter)
_YES_NO_FILTERS = _names_of(YesNoFilter)
_SIZE_FILTERS = _names_of(django_filters.NumberFilter)
_RATING_FILTERS = _names_of(RatingFilter)
_DAY_FILTERS = _names_of(MomentFilter, ClockFilter)
_LOWER_CASE_FILTERS = _names_of(django_filters.ChoiceFilter, ColoursFilter)

# The ids of query pictures (gallery.search.query.query_pictures).
UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_YES_NO = {
    **dict.fromkeys(("true", "yes", "y", "1", "是"), True),
    **dict.fromkeys(("false", "no", "n", "0", "否"), False),
}
# Synonyms of values.
_SYNONYMS = {
    "orientation": {"横": "landscape", "竖": "portrait", "方": "square"},
    "visibility": {"公开": "public", "私密": "private"},
}


@dataclass(frozen=True)
class Crop:
    """A part of a picture, in shares of the upright picture's width and height from its left and
    upper edge. All values are in [0, 1]."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def from_sides(cls, sides: Any, name: str = "crop") -> Crop:
        """Make a crop from [left, top, width, height]. Raises Refusal (bad_crop) naming `name`."""
        if not (isinstance(sides, list | tuple) and len(sides) == 4 and all(map(_is_real, sides))):
            _refuse_crop(name)
        crop = cls(*(round(float(side), SHARE_DIGITS) + 0.0 for side in sides))
        # Rounding may move the far side past the edge by this much.
        slack = 10**-SHARE_DIGITS
        fits = (
            min(crop.left, crop.top) >= 0
            and min(crop.width, crop.height) >= MIN_CROP_SHARE
            and max(crop.left + crop.width, crop.top + crop.height) <= 1 + slack
        )
        if not fits:
            _refuse_crop(name)
        return crop

    def as_list(self) -> list[float]:
        return [self.left, self.top, self.width, self.height]


@dataclass(frozen=True)
class Term:
    """One part of a query: exactly one of `text`, `image` (a stored picture) and `upload` (the id
    of a query picture, see gallery.search.query.query_pictures). Results are unlike a term with a
    negative `weight`."""

    text: str = ""
    image: UUID | None = None
    upload: str = ""
    weight: float = 1.0
    crop: Crop | None = None

    @property
    def is_text(self) -> bool:
        return bool(self.text)

    def as_json(self) -> dict[str, Any]:
        if self.text:
            data: dict[str, Any] = {"text": self.text}
        elif self.image is not None:
            data = {"image": str(self.image)}
        else:
            data = {"upload": self.upload}
        data["weight"] = self.weight
        if self.crop is not None:
            data["crop"] = self.crop.as_list()
        return data


@dataclass(frozen=True)
class Query:
    """Terms and filters. The filters have the names and values of
    gallery.search.filters.image_filter, but an album may also be given by its title.

    The results of a query without terms are the pictures that pass the filters, newest first or
    in the order that the filters name.
    """

    terms: tuple[Term, ...] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.terms and not self.filters

    @property
    def positive_texts(self) -> list[str]:
        """The texts to find in titles, descriptions, tags and file names."""
        return [term.text for term in self.terms if term.is_text and term.weight > 0]

    @property
    def negative_texts(self) -> list[str]:
        return [term.text for term in self.terms if term.is_text and term.weight < 0]

    @classmethod
    def from_json(cls, data: Any) -> Query:
        """Parse {"terms": […], "filters": {…}}, both optional; see `Term` and
        gallery.search.filters.image_filter. Raises Refusal, naming a field like `terms.0.weight`.
        Values of filters are checked where they are used."""
        _require_object(data, {"terms", "filters"}, "")
        terms = data.get("terms", [])
        if not isinstance(terms, list):
            raise Refusal("bad_terms", _("Give a list of terms."), "terms")
        query = cls(
            tuple(_term(entry, f"terms.{number}") for number, entry in enumerate(terms)),
            _filters(data.get("filters", {})),
        )
        query.check()
        return query

    def as_json(self) -> dict[str, Any]:
        return {"terms": [term.as_json() for term in self.terms], "filters": dict(self.filters)}

    def check(self) -> None:
        """Raise Refusal if there are too many terms (too_many_terms) or a text is too long
        (query_too_long)."""
        if len(self.terms) > MAX_TERMS:
            raise Refusal(
                "too_many_terms",
                _("A search has at most %(most)d terms.") % {"most": MAX_TERMS},
                "terms",
            )
        for number, term in enumerate(self.terms):
            if len(term.text) > MAX_TERM_CHARACTERS:
                raise Refusal(
                    "query_too_long",
                    _("Describe the picture in at most %(max)d characters.")
                    % {"max": MAX_TERM_CHARACTERS},
                    f"terms.{number}.text",
                )


def clean_filter(name: str, value: Any) -> Any:
    """Return the canonical form of a filter's value; None if there is no value. A text that this
    filter does not accept stays as it is: gallery.search.filters.image_filter refuses it. Raises
    Refusal for several values of a filter that takes one (one_value), for other types (invalid)
    and for long texts (filter_too_long)."""
    if value is None:
        return None
    if name in LIST_FILTERS:
        entries = value if isinstance(value, list) else [value]
        cleaned = [_one(name, _clean_text(name, entry)) for entry in entries]
        return list(dict.fromkeys(filter(None, cleaned))) or None
    if isinstance(value, list):
        # An empty list, or null in a list, is a mistake. It must not widen the search.
        if len(value) != 1 or value[0] is None:
            raise Refusal("one_value", _("Give one value."), f"filters.{name}")
        value = value[0]
    if isinstance(value, bool):
        return value
    return _one(name, _clean_text(name, value))


def _one(name: str, text: str) -> Any:
    if name in NEGATIVE_FILTERS:
        return categories.canonical(text) or None
    if name in _LOWER_CASE_FILTERS:
        text = text.lower()
    if name in _YES_NO_FILTERS:
        return _YES_NO.get(text.lower(), text or None)
    if name in _SIZE_FILTERS:
        return _number(text)
    if name in _RATING_FILTERS:
        return ratings.canonical(text) or text or None
    if name in _DAY_FILTERS and (span := dates.span(text)):
        return span[0]
    return _SYNONYMS.get(name, {}).get(text, text) or None


# --- From JSON --------------------------------------------------------------------


def _term(data: Any, name: str) -> Term:
    if not isinstance(data, Mapping):
        raise Refusal(
            "bad_query",
            _("Each term is a JSON object, as %(example)s.") % {"example": '{"text": "a cat"}'},
            name,
        )
    _require_object(data, {"text", "image", "upload", "weight", "crop"}, name)
    given = [kind for kind in ("text", "image", "upload") if data.get(kind) is not None]
    if len(given) != 1:
        raise Refusal(
            "bad_term", _("Each term has just one of “text”, “image” and “upload”."), name
        )
    kind = given[0]
    weight = _weight(data.get("weight", 1.0), f"{name}.weight")
    crop = data.get("crop")
    if crop is not None and kind == "text":
        raise Refusal("bad_crop", _("A text has no crop: take a picture."), f"{name}.crop")
    cut = None if crop is None else Crop.from_sides(crop, f"{name}.crop")
    value, at = data[kind], f"{name}.{kind}"
    if kind == "text":
        return Term(text=_text(value, at), weight=weight)
    if kind == "image":
        return Term(image=_image(value, at), weight=weight, crop=cut)
    return Term(upload=_upload(value, at), weight=weight, crop=cut)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Refusal("bad_term", _("Give the text as a JSON string."), name)
    if not is_unicode(value):
        raise Refusal(
            "bad_term", _("The text has halves of characters: send it as valid Unicode."), name
        )
    text = normalise_text(value)
    if not text:
        raise Refusal("empty_query", _("Type what the picture should show."), name)
    return text


def _image(value: Any, name: str) -> UUID:
    try:
        return UUID(value) if isinstance(value, str) else UUID("")
    except ValueError as error:
        raise Refusal("bad_id", _("Give the id of a picture."), name) from error


def _upload(value: Any, name: str) -> str:
    if not isinstance(value, str) or not UPLOAD_ID.fullmatch(value):
        raise Refusal("bad_id", _("Give the id of a query picture."), name)
    return value


def _weight(value: Any, name: str) -> float:
    weight = round(float(value), WEIGHT_DIGITS) if _is_real(value) else 0.0
    if weight == 0 or abs(weight) > MAX_WEIGHT:
        raise Refusal(
            "bad_weight",
            _("A weight is a number from −%(most)g to %(most)g, and not 0.") % {"most": MAX_WEIGHT},
            name,
        )
    return weight


def _filters(data: Any) -> dict[str, Any]:
    _require_object(data, FILTER_NAMES, "filters")
    cleaned = {name: clean_filter(name, value) for name, value in data.items()}
    return {name: value for name, value in cleaned.items() if value is not None}


def _clean_text(name: str, value: Any) -> str:
    if isinstance(value, bool | dict | list) or not isinstance(value, str | int | float):
        raise Refusal(
            "invalid",
            _("Give a text, a number, true or false, or a list of texts."),
            f"filters.{name}",
        )
    text = unicodedata.normalize("NFC", str(value)).strip()
    if len(text) > MAX_FILTER_CHARACTERS:
        raise Refusal(
            "filter_too_long",
            _("Give at most %(most)d characters.") % {"most": MAX_FILTER_CHARACTERS},
            f"filters.{name}",
        )
    return text


def _number(text: str) -> float | str | None:
    try:
        number = float(text)
    except ValueError:
        return text or None
    return round(number, SIZE_DIGITS) + 0.0 if math.isfinite(number) else text


def _require_object(data: Any, names: set[str] | frozenset[str], at: str) -> None:
    """Raise Refusal if `data` is no JSON object (bad_query) or has other names (unknown_name). A
    misspelt name would otherwise lead to another search."""
    if not isinstance(data, Mapping):
        raise Refusal("bad_query", _("Give a JSON object."), at or None)
    unknown = next((name for name in data if name not in names), None)
    if unknown is not None:
        # A name from JSON may have characters that a response cannot contain.
        shown = normalise_text(str(unknown))[:50]
        raise Refusal(
            "unknown_name",
            _("There is no “%(name)s” here. Known are: %(names)s.")
            % {"name": shown, "names": ", ".join(sorted(names))},
            f"{at}.{shown}" if at else shown,
        )


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _refuse_crop(name: str) -> None:
    raise Refusal(
        "bad_crop",
        _("A crop is [left, top, width, height] as shares of the picture, from 0 to 1."),
        name,
    )
