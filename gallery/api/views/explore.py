"""The map of the library by meaning."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.filters import ImageFilter
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.explore import MapPointsSerializer, MapSerializer
from gallery.api.views.base import ApiView
from gallery.errors import Refusal, Unavailable
from gallery.explore import points, regions
from gallery.explore.points import Box
from gallery.explore.status import status
from gallery.models import Image
from gallery.models.image import ImageQuerySet
from gallery.search.filters import image_filter

DEFAULT_LIMIT = 1000
MAX_LIMIT = 10_000
SIDES = ("left", "top", "right", "bottom")


class FilteredView(ApiView):
    """A view of the pictures that the viewer may see, narrowed by the usual filters."""

    queryset = Image.objects.all()
    # For the schema; `filters.narrow` does the work.
    filter_backends = [DjangoFilterBackend]
    filterset_class = ImageFilter

    def pictures(self, request: Request) -> ImageQuerySet:
        visible = Image.objects.visible_to(request.user)
        return image_filter.narrow(visible, request.query_params, request.user).order_by()


class ExploreView(FilteredView):
    serializer_class = MapSerializer
    pagination_class = None

    @extend_schema(operation_id="explore", tags=["explore"], responses={200: MapSerializer})
    def get(self, request: Request) -> Response:
        """The state of the map, and its clusters with their names."""
        pictures = self.pictures(request)
        now = status()
        body: dict[str, Any] = {
            "state": now.state,
            "progress": now.progress,
            "built_at": None,
            "placed": 0,
            "unplaced": 0,
            "named": False,
            "clusters": [],
        }
        if now.map is not None:
            try:
                body["clusters"] = regions.seen(now.map, pictures, request.user.pk)
                body["named"] = True
            except Unavailable:
                body["clusters"] = regions.unnamed(now.map, pictures)
            body["built_at"] = now.map.built_at
            body["placed"] = points.within(now.map, pictures).count()
            body["unplaced"] = points.unplaced(now.map, pictures)
        return Response(MapSerializer(body).data)


class PointsView(FilteredView):
    serializer_class = MapPointsSerializer
    pagination_class = None

    @extend_schema(
        operation_id="explore_points",
        tags=["explore"],
        parameters=[
            *(
                OpenApiParameter(
                    side,
                    {"type": "number", "minimum": 0, "maximum": 1},
                    description="An edge of the requested part of the map.",
                )
                for side in SIDES
            ),
            OpenApiParameter(
                "limit",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
                description="If there are more points, a fair sample is returned.",
            ),
        ],
        responses={200: MapPointsSerializer, 404: ErrorResponseSerializer},
    )
    def get(self, request: Request) -> Response:
        """The positions of pictures on the map. 404 while there is no map."""
        pictures = self.pictures(request)
        box, limit = read_box(request), read_limit(request)
        drawn = status().map
        if drawn is None:
            raise NotFound(_("There is no map yet."))
        found = points.listed(points.within(drawn, pictures, box), limit + 1)
        body = {"points": found[:limit], "more": len(found) > limit}
        return Response(MapPointsSerializer(body).data)


def read_box(request: Request) -> Box:
    """Read the part of the map from the query. Raises Refusal (bad_box) with the name of the
    bad edge."""
    edges = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
    for side in SIDES:
        try:
            edges[side] = float(request.query_params.get(side, edges[side]))
        except ValueError as error:
            raise _bad_box(side) from error
        if not 0 <= edges[side] <= 1:  # also false for "nan"
            raise _bad_box(side)
    return Box(**edges)


def read_limit(request: Request) -> int:
    """Read `limit` from the query. Raises Refusal (bad_limit)."""
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):
        raise Refusal(
            "bad_limit",
            _("“limit” must be a whole number from 1 to %(max)d.") % {"max": MAX_LIMIT},
            "limit",
        )
    return int(text)


def _bad_box(side: str) -> Refusal:
    return Refusal("bad_box", _("Give each edge as a number from 0 to 1."), side)
