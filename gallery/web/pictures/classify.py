"""Classification with the visitor's own categories, or with those of a label set."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gallery.classification import service
from gallery.library.query_picture import read_query_picture
from gallery.web.access import is_fragment, posted_picture, signed_in
from gallery.web.pictures.classify_form import arguments, asked_in, choices
from gallery.web.pictures.picture import picture_page, reachable


@dataclass(frozen=True)
class Bar:
    """One category. `share`, from 0 to 1, is the length of the bar; `percent` is its label."""

    name: str
    is_none: bool
    share: float
    percent: str


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def classify(request: HttpRequest) -> HttpResponse:
    """Classify an uploaded picture, which is not kept."""
    asked = asked_in(request)
    if request.method != "POST":
        return render(request, "gallery/classify.html", {**asked, **choices(request)})
    file = posted_picture(request)
    picture = read_query_picture(file, file.name or "", request.user)
    bars = _bars(service.classify_picture(picture, **arguments(request, asked)))
    if is_fragment(request):
        return render(request, "gallery/classes.html", {"bars": bars})
    return render(request, "gallery/classify.html", {**asked, **choices(request), "bars": bars})


@require_http_methods(["GET", "HEAD", "POST"])
def classify_image(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Classify a picture of the gallery. The panel is on the picture's own page."""
    if request.method != "POST":
        return redirect("image", pk=pk)
    image = reachable(request, pk)
    asked = asked_in(request)
    bars = _bars(service.classify_image(image, **arguments(request, asked)))
    if is_fragment(request):
        return render(request, "gallery/classes.html", {"bars": bars})
    return picture_page(request, image, **asked, bars=bars)


def _bars(classification: service.Classification) -> list[Bar]:
    return [
        Bar(
            name=result.classname,
            is_none=result.is_none,
            share=round(result.probability, 4),
            percent=percent(result.probability),
        )
        for result in classification.results
    ]


def percent(probability: float) -> str:
    """Format with one decimal. A small probability that is not 0 does not become 0 %."""
    if 0 < probability < 0.0005:
        return _("under {number} %").format(number=number_format(0.1, 1))
    return _("{number} %").format(number=number_format(round(probability * 100, 1), 1))
