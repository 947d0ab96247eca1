"""Classification with the visitor's own categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gallery.classification import service
from gallery.library.query_picture import read_query_picture
from gallery.web.access import is_fragment, posted_picture, signed_in
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
    asked = _asked(request)
    if request.method != "POST":
        return render(request, "gallery/classify.html", asked)
    file = posted_picture(request)
    picture = read_query_picture(file, file.name or "", request.user)
    bars = _bars(service.classify_picture(picture, **_arguments(asked)))
    template = "gallery/classes.html" if is_fragment(request) else "gallery/classify.html"
    return render(request, template, {**asked, "bars": bars})


@require_http_methods(["GET", "HEAD", "POST"])
def classify_image(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Classify a picture of the gallery. The panel is on the picture's own page."""
    if request.method != "POST":
        return redirect("image", pk=pk)
    image = reachable(request, pk)
    asked = _asked(request)
    bars = _bars(service.classify_image(image, **_arguments(asked)))
    if is_fragment(request):
        return render(request, "gallery/classes.html", {"bars": bars})
    return picture_page(request, image, **asked, bars=bars)


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Return the values of the form, to show them again."""
    return {
        "classnames": request.POST.get("classnames", ""),
        "template": request.POST.get("template", "").strip(),
        "none_of_these": "none_of_these" in request.POST,
    }


def _arguments(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "classnames": service.parse_classnames(asked["classnames"]),
        "templates": [asked["template"]] if asked["template"] else None,
        "none_of_these": asked["none_of_these"],
    }


def _bars(classification: service.Classification) -> list[Bar]:
    return [
        Bar(
            name=result.classname,
            is_none=result.is_none,
            share=round(result.probability, 4),
            percent=_percent(result.probability),
        )
        for result in classification.results
    ]


def _percent(probability: float) -> str:
    """Format with one decimal. A small probability that is not 0 does not become 0 %."""
    if 0 < probability < 0.0005:
        return _("under {number} %").format(number=number_format(0.1, 1))
    return _("{number} %").format(number=number_format(round(probability * 100, 1), 1))
