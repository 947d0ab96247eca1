"""Further views of the search page: changed queries, suggestions for the line, the help card,
query pictures and near-duplicates."""

from __future__ import annotations

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.indexing.selectors import with_display_fields
from gallery.models import Image
from gallery.search import service
from gallery.search.filters import colours
from gallery.search.query import completion, feedback, query_pictures, syntax
from gallery.web.access import is_fragment
from gallery.web.pictures.tiles import tiles_of
from gallery.web.searching import composer, search_help

# The most near-duplicates that one result shows.
MOST_FOLDED = 200


@require_POST
def compose(request: HttpRequest) -> HttpResponse:
    """Redirect to the address of the query in the composer's fields."""
    return redirect(composer.address_of(composer.read(request.POST)))


@require_safe
def refine(request: HttpRequest) -> HttpResponse:
    """Redirect to the query `q` with the picture `more` as a positive term or `less` as a negative
    one."""
    query = syntax.parse(request.GET.get("q", "")).query
    more, less = (_picture(request, name) for name in ("more", "less"))
    return redirect(composer.address_of(feedback.refine(query, more=more, less=less)))


@require_safe
def complete(request: HttpRequest) -> HttpResponse:
    """Return suggestions for position `at` (in code points) of the line `q`, as JSON."""
    line = request.GET.get("q", "")[: service.MAX_LINE_CHARACTERS]
    at = request.GET.get("at", "")
    cursor = int(at[:6]) if at.isascii() and at.isdecimal() else len(line)
    found = completion.complete(line, cursor, request.user)
    options = [
        {
            "label": suggestion.label,
            "hint": suggestion.detail,
            "line": suggestion.text,
            "at": suggestion.at,
            "goes_on": suggestion.kind == "key",
            "colour": _swatch(line[: suggestion.start], suggestion.label),
        }
        for suggestion in found
    ]
    return JsonResponse({"options": options})


@require_safe
@vary_on_headers("HX-Request")
def help_card(request: HttpRequest) -> HttpResponse:
    """Show the search syntax, with examples from the visitor's own gallery."""
    template = "search/help_card.html" if is_fragment(request) else "search/help_page.html"
    return render(request, template, {"sections": search_help.sections(request.user)})


@require_safe
@cache_control(private=True, max_age=query_pictures.KEPT_SECONDS, immutable=True)
def query_picture(request: HttpRequest, picture_id: str) -> HttpResponse:
    """Return a query picture of the visitor, as long as it is kept."""
    kept = query_pictures.load(picture_id, request.user)
    return HttpResponse(kept.content, content_type="image/jpeg")


@require_safe
def folded(request: HttpRequest) -> HttpResponse:
    """Render those of the pictures `id` that the visitor may see, in this order."""
    wanted = [_uuid(text, "id") for text in request.GET.getlist("id")[:MOST_FOLDED]]
    visible = Image.objects.visible_to(request.user).filter(pk__in=wanted)
    found = {image.pk: image for image in with_display_fields(visible, request.user).defer("exif")}
    images = [found[pk] for pk in dict.fromkeys(wanted) if pk in found]
    return render(request, "parts/tiles.html", {"tiles": tiles_of(images, request.user)})


def _picture(request: HttpRequest, name: str) -> UUID | None:
    value = request.GET.get(name)
    return None if value is None else _uuid(value, name)


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Refusal("bad_id", _("Give the id of a picture."), name) from error


def _swatch(before: str, label: str) -> str:
    """Return a suggested colour as #rrggbb, or "" for any other suggestion."""
    key = next(iter(re.findall(r"(\w+)[:：]$", before)), "").lower()
    is_colour = syntax.ALIASES.get(key, key) == "color"
    return colours.NAMES[label].hex if is_colour and label in colours.NAMES else ""
