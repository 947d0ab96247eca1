"""The map of the library by meaning, and the list of its regions as an alternative to the map.
Both take the timeline's scope and filters from the address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.errors import Refusal, Unavailable
from gallery.explore import label_colours, points, regions
from gallery.explore.points import Box
from gallery.explore.regions import Region
from gallery.explore.status import Status, status
from gallery.indexing.selectors import with_display_fields
from gallery.labels import reading
from gallery.library import thumbnails
from gallery.models import ExploreMap, LabelSet
from gallery.search import service
from gallery.search.filters.categories import as_id
from gallery.web.access import is_fragment
from gallery.web.labels.loading import name_of
from gallery.web.lists import scopes
from gallery.web.lists.listing import next_part
from gallery.web.pictures.tiles import tiles_of

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# The most matches of a search on the map, best first.
MATCHES = 100
# Pictures on one page of a region.
PAGE = 60
# The most ids in the filter of a selection (gallery.search.filters.fields).
MOST_IDS = 200
THUMBNAIL_WIDTH = 320
TEMPLATE = "explore/page.html"
# The placeholder for a picture's id in addresses. The scripts replace it.
ANY_ID = "00000000-0000-0000-0000-000000000000"


@require_safe
@vary_on_headers("HX-Request")
def explore(request: HttpRequest) -> HttpResponse:
    """The page of the map or, for htmx, the progress of the map. The filter panel and wrong
    filters get their own answers (`Filtered.other_answer`)."""
    filtered, frame = scopes.filtered(request), _frame(request)
    if answer := filtered.other_answer(TEMPLATE, frame):
        return answer
    now = status()
    if is_fragment(request):
        return _progress(request, now)
    context = {
        **frame,
        "filters": filtered.bar(),
        "status": now,
        "query": request.GET.get("q", ""),
        "seen": filtered.pictures.exists(),
        "config": _config(request),
        "kept": [(key, value) for key, value in _pairs(request) if key not in {"colour", "only"}],
        "label_sets": LabelSet.objects.visible_to(request.user),
        "colouring": _colouring(request),
        "selection": json.dumps({"all": True, "filters": filtered.wanted}),
    }
    return render(request, TEMPLATE, context)


@require_safe
@never_cache
def point_data(request: HttpRequest) -> HttpResponse:
    """The points of the map, packed by gallery.explore.points. `?box=left,top,right,bottom`
    limits them to a part of the map. Without `box`, the header `X-Unplaced` gives the number of
    pictures that are not on the map."""
    drawn = _map()
    pictures = _pictures(request)
    found = points.within(drawn, pictures, read_box(request.GET.get("box")))
    answer = HttpResponse(points.packed(found), content_type="application/octet-stream")
    if "box" not in request.GET:
        answer["X-Unplaced"] = str(points.unplaced(drawn, pictures))
    return answer


@require_safe
@never_cache
def label_data(request: HttpRequest) -> HttpResponse:
    """The categories of the points by the set `?colour=`, packed by gallery.explore.label_colours.
    `?box=` limits them like the points."""
    label_set = _colouring(request)
    if label_set is None:
        raise Http404
    known = reading.categories_for(request.user).filter(label_set=label_set).order_by("position")
    categories = [(category.pk, name_of(category)) for category in known]
    box = read_box(request.GET.get("box"))
    found = label_colours.packed(_map(), _pictures(request), categories, box)
    return HttpResponse(found, content_type="application/octet-stream")


@require_safe
@vary_on_headers("HX-Request")
def region_list(request: HttpRequest) -> HttpResponse:
    """The regions with their names and a few pictures, as a page or, for htmx, beside the map."""
    drawn = _map()
    found, problem = _regions(request, drawn)
    context = {
        **_frame(request),
        "filters": scopes.filtered(request).bar(),
        "rows": _rows(request, found, bool(problem)),
        "problem": problem,
        "least": regions.LEAST_FOR_REGIONS if drawn.laid_out < regions.LEAST_FOR_REGIONS else 0,
    }
    template = "explore/regions.html" if is_fragment(request) else "explore/regions_page.html"
    return render(request, template, context)


@require_safe
@vary_on_headers("HX-Request")
def region(request: HttpRequest, pk: int) -> HttpResponse:
    """The pictures of one region, newest first. 404 if the viewer sees none of them."""
    drawn = _map()
    found, problem = _regions(request, drawn)
    rows = {row["region"].id: row for row in _rows(request, found, bool(problem))}
    if pk not in rows:
        raise Http404
    shown: Region = rows[pk]["region"]
    inside = points.within(drawn, _pictures(request)).filter(cluster=pk)
    pictures = _pictures(request).filter(pk__in=inside.order_by().values("image_id"))
    images, after = keyset.page(
        with_display_fields(pictures, request.user).defer("exif"),
        request.GET.get("after"),
        PAGE,
        order=keyset.UPLOADED,
    )
    part = {"tiles": tiles_of(images, request.user), "more": next_part(request, after)}
    if is_fragment(request):
        return render(request, "parts/tiles.html", part)
    context = {
        **part,
        "region": rows[pk],
        "map": _address(request, "explore", at=_view_of(shown)),
        "list": _address(request, "explore_regions"),
    }
    if shown.count <= MOST_IDS:
        ids = [str(key) for key in pictures.order_by().values_list("pk", flat=True)]
        context["selection"] = json.dumps({"all": True, "filters": {"id": ids}})
    return render(request, "explore/region.html", context)


@require_safe
@never_cache
def matches(request: HttpRequest) -> HttpResponse:
    """The ids of the pictures that match `?q=`, best first, without weak matches."""
    results = service.search_text(request.GET.get("q", ""), request.user, limit=MATCHES)
    return JsonResponse({"ids": [str(hit.image.pk) for hit in results.hits if hit.fit != "weak"]})


def read_box(text: str | None) -> Box | None:
    """Parse a part of the map from the address. Raises Refusal (bad_box)."""
    if text is None:
        return None
    try:
        left, top, right, bottom = (float(side) for side in text.split(","))
        if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
            raise ValueError("not a part of the map")
    except ValueError as error:
        raise Refusal(
            "bad_box",
            _("Give the left, top, right and bottom edge as shares of the map from 0 to 1."),
            "box",
        ) from error
    return Box(left, top, right, bottom)


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    return [(key, value) for key, values in request.GET.lists() for value in values]


def _colouring(request: HttpRequest) -> LabelSet | None:
    """Return the set by which the map is coloured, if the visitor may see it."""
    pk = as_id(request.GET.get("colour", ""))
    return LabelSet.objects.visible_to(request.user).filter(pk=pk).first() if pk else None


def _map() -> ExploreMap:
    drawn = status().map
    if drawn is None:
        raise Http404
    return drawn


def _pictures(request: HttpRequest) -> ImageQuerySet:
    """Return the pictures to show, in no order. Raises Refusal."""
    return scopes.filtered(request).pictures.order_by()


def _regions(request: HttpRequest, drawn: ExploreMap) -> tuple[list[Region], str]:
    """Return the regions, and a sentence that explains why they have no names, or ""."""
    pictures = _pictures(request)
    try:
        return regions.seen(drawn, pictures, request.user.pk), ""
    except Unavailable:
        return regions.unnamed(drawn, pictures), _(
            "The regions have no names yet: a worker is encoding the words."
        )


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "scope": scopes.scope_of(request),
        "scopes": [
            (name, label, _address(request, "explore", scope=name)) for name, label in scopes.SCOPES
        ],
        "place": "explore",
    }


def _progress(request: HttpRequest, now: Status) -> HttpResponse:
    """Return the progress of the first map. Once the map exists, the page reloads."""
    answer = render(request, "explore/progress.html", {"status": now})
    if now.map is not None:
        answer["HX-Refresh"] = "true"
    return answer


def _rows(request: HttpRequest, found: list[Region], unknown: bool) -> list[dict[str, Any]]:
    """Return the regions, each with a name that no other has, those with a telling one first.
    With `unknown` names are not known yet; otherwise a region without one is like nothing that
    has a word."""
    nameless = [one.id for one in found if not one.name]
    pattern = _("Region %(number)d") if unknown else _("Other %(number)d")
    names = {pk: pattern % {"number": number} for number, pk in enumerate(nameless, 1)}
    if len(nameless) == 1 and not unknown:
        names[nameless[0]] = _("Other")
    samples = thumbnails.addresses_by_id(
        (pk for one in found for pk in one.samples), THUMBNAIL_WIDTH
    )
    return [
        {
            "region": one,
            "name": one.name or names[one.id],
            "on_map": unknown or bool(one.name),
            "href": _address(request, "explore_region", one.id),
            "thumbnails": [samples[pk] for pk in one.samples if pk in samples],
        }
        for one in sorted(found, key=lambda one: not one.name)
    ]


def _view_of(found: Region) -> str:
    """Return the view of the map that shows the whole region, in the format of
    static/js/explore/view.js."""
    return f"{found.x:.4f},{found.y:.4f},{max(5 * found.spread, 0.02):.4f}"


def _address(request: HttpRequest, name: str, *args: Any, **more: str) -> str:
    """Return the address of a page of the map, with the current scope and filters and with
    `more`."""
    query = request.GET.copy()
    for key in ("after", "only", "box", "at", "q"):
        query.pop(key, None)
    for key, value in more.items():
        query[key] = value
    return f"{reverse(name, args=args)}?{query.urlencode()}"


def _config(request: HttpRequest) -> dict[str, Any]:
    """Return the addresses and texts that the scripts of the map use."""
    return {
        "points": _address(request, "explore_points"),
        "regions": _address(request, "explore_regions"),
        "labels": _address(request, "explore_labels") if _colouring(request) else "",
        "matches": f"{reverse('explore_matches')}?{urlencode({'q': request.GET.get('q', '')})}",
        "searched": bool(request.GET.get("q")),
        "mostPoints": points.MOST_PACKED,
        "anyId": ANY_ID,
        # The scripts fill in the ids, so this address cannot be signed.
        "thumbnail": f"{reverse('api:image-thumbnail', args=[ANY_ID])}?w={THUMBNAIL_WIDTH}",
        "picture": reverse("image", args=[ANY_ID]),
        "facts": reverse("api:image", args=[ANY_ID]),
        "texts": _texts(),
    }


def _texts() -> dict[str, str | list[str]]:
    """Return the texts of the scripts. Those with a number have two forms, for one and several."""
    forms = (1, 2)
    return {
        "pictures": [
            ngettext("{count} picture on the map.", "{count} pictures on the map.", n)
            for n in forms
        ],
        "unplaced": [
            ngettext("{count} more has no place yet.", "{count} more have no place yet.", n)
            for n in forms
        ],
        "matches": [
            ngettext("{count} picture matches.", "{count} pictures match.", n) for n in forms
        ],
        "noMatches": _("Nothing on the map matches well."),
        "sampled": _("A part of them is shown. Zoom in to see the others."),
        "tooMany": _(
            "The first {most} of {count} pictures inside the line are selected. "
            "No more can be selected."
        ),
        "lassoed": [
            ngettext("{count} picture selected.", "{count} pictures selected.", n) for n in forms
        ],
        "lassoEmpty": _("There is no picture inside the line."),
        "lassoHint": _("Draw a line around pictures to select them."),
        "untitled": _("Untitled"),
        "without": _("without a category"),
    }
