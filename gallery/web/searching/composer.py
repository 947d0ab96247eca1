"""The composer: the parts of a query as fields that the user changes one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery.errors import Expired, Refusal, Unavailable
from gallery.models import Image, Viewer
from gallery.search.query import query_pictures, syntax
from gallery.search.query.query import MAX_WEIGHT, Crop, Query, Term
from gallery.web.pictures.tiles import thumbnail

# Widths of the picture in the crop dialog and in a chip.
_LARGE, _SMALL = 1280, 320


@dataclass(frozen=True)
class Part:
    """One term of a query as the page shows it.

    `kind` is text, image or upload, and `value` is the text or the id. `key` identifies the part
    in its query. `weight` has no sign; `crop` is "left,top,width,height" in percent. A picture
    that the viewer cannot see has no `small` and no `large`. `without` is the address of the
    query without this part. `ratio` (width / height) reserves space until the picture is loaded:
    otherwise the next parts would move under the pointer.
    """

    kind: str
    value: str
    name: str
    minus: bool
    weight: float
    crop: str = ""
    box: Crop | None = None
    small: str = ""
    large: str = ""
    ratio: float | None = None
    href: str = ""
    without: str = ""

    @property
    def times(self) -> str:
        return number_format(f"{self.weight:g}")

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.value}:{self.crop}:{'-' if self.minus else '+'}"


@dataclass(frozen=True)
class Composer:
    """A query as fields. `rest` is the line of its filters."""

    rest: str
    parts: list[Part]
    most_weight: float = MAX_WEIGHT

    @property
    def is_one_picture(self) -> bool:
        """Whether the query is a single uploaded picture and nothing else."""
        return [part.kind for part in self.parts] == ["upload"] and not self.rest


def composer_for(query: Query, viewer: Viewer) -> Composer:
    """Return `query` as fields."""
    images = _images(query, viewer)
    return Composer(
        rest=syntax.format(Query(filters=query.filters)),
        parts=[
            replace(
                _part(term, images.get(term.image), viewer),
                without=address_of(_without(query, number)),
            )
            for number, term in enumerate(query.terms)
        ],
    )


def read(form: QueryDict) -> Query:
    """Return the query of a submitted composer.

    Each part has a `kind`, `value`, `weight` and `crop`. `minus` are the numbers of the parts with
    a negative weight, and `remove` is the number of a part to remove. `add` is a line to append,
    and `rest` is the line of the filters. Raises Refusal if this is no query.
    """
    rows = list(_rows(form))
    added = syntax.parse(str(form.get("add", ""))).query
    query = Query.from_json({"terms": rows})
    filters = {**syntax.parse(str(form.get("rest", ""))).query.filters, **added.filters}
    whole = Query((*query.terms, *added.terms), filters)
    whole.check()
    return whole


def address_of(query: Query) -> str:
    """Return the address of the results of `query`. For an empty query this is the home page."""
    if query.is_empty:
        return reverse("home")
    return f"{reverse('search')}?{urlencode({'q': syntax.format(query)})}"


def _without(query: Query, number: int) -> Query:
    return Query((*query.terms[:number], *query.terms[number + 1 :]), query.filters)


def _rows(form: QueryDict) -> Iterator[dict[str, Any]]:
    """Yield the terms as in JSON, without removed and empty ones."""
    columns = [form.getlist(name) for name in ("kind", "value", "weight", "crop")]
    if len({len(column) for column in columns}) != 1:
        raise Refusal("bad_composer", _("The parts of the search do not fit together."))
    minus = set(form.getlist("minus"))
    for number, (kind, value, weight, crop) in enumerate(zip(*columns, strict=True)):
        if str(number) == form.get("remove") or not value.strip():
            continue
        sign = -1 if str(number) in minus else 1
        yield {kind: value, "weight": sign * _number(weight), "crop": _shares(crop)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Refusal("bad_weight", _("A weight is a number.")) from error


def _shares(percent: str) -> list[float] | None:
    """Return "10,20,50,40" as fractions of the picture's sides."""
    if not percent:
        return None
    return [_number(side) / 100 for side in percent.split(",")]


def _images(query: Query, viewer: Viewer) -> dict[Any, Image]:
    wanted = [term.image for term in query.terms if term.image is not None]
    if not wanted:
        return {}
    found = Image.objects.reachable_by(viewer).filter(pk__in=wanted).select_related("owner")
    return {image.pk: image for image in found.defer("exif")}


def _part(term: Term, image: Image | None, viewer: Viewer) -> Part:
    shared: dict[str, Any] = {
        "minus": term.weight < 0,
        "weight": abs(term.weight),
        "crop": _percent(term.crop),
        "box": term.crop,
    }
    if term.is_text:
        return Part("text", term.text, name=term.text, **shared)
    if term.upload:
        preview = reverse("query_picture", args=[term.upload])
        name = _("your picture")
        shared["ratio"] = _ratio_of(term.upload, viewer)
        return Part("upload", term.upload, name, small=preview, large=preview, **shared)
    if image is None:
        return Part("image", str(term.image), _("a picture that you cannot see"), **shared)
    return Part(
        "image",
        str(term.image),
        image.name_for(viewer),
        small=thumbnail(image, _SMALL),
        large=thumbnail(image, _LARGE),
        ratio=image.width / image.height,
        href=reverse("image", args=[image.pk]),
        **shared,
    )


def _ratio_of(upload: str, viewer: Viewer) -> float | None:
    try:
        return query_pictures.load(upload, viewer).ratio
    except (Expired, Unavailable):  # the results show this problem
        return None


def _percent(crop: Crop | None) -> str:
    return "" if crop is None else ",".join(f"{side * 100:g}" for side in crop.as_list())
