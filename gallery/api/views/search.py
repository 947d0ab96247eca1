"""Searching: by words, by a stored picture, by a picture that is not kept."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.search import ResultsSerializer, SearchPictureSerializer
from gallery.api.uploads import read_upload
from gallery.api.views.base import ApiView, ImageView
from gallery.library.query_picture import read_query_picture
from gallery.search import service
from gallery.search.results import Results
from gallery.search.service import DEFAULT_LIMIT, MAX_LIMIT

LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    description="Results on a page.",
)
CURSOR = OpenApiParameter("cursor", str, description="Continues a search; taken from `next`.")
RESULTS = {200: ResultsSerializer, 410: ErrorResponseSerializer}


class SearchView(ApiView):
    parser_classes = [MultiPartParser]
    throttle_scopes = {"GET": "search", "POST": "search"}

    @extend_schema(
        operation_id="search",
        tags=["search"],
        parameters=[
            OpenApiParameter("q", str, description="What the pictures show, in words."),
            LIMIT,
            CURSOR,
        ],
        responses=RESULTS,
    )
    def get(self, request: Request) -> Response:
        """Pictures that fit the words `q`, or the next page of any search."""
        limit = read_limit(request)
        if cursor := request.query_params.get("cursor"):
            results = service.continue_search(cursor, request.user, limit=limit)
        else:
            words = request.query_params.get("q", "")
            results = service.search_text(words, request.user, limit=limit)
        return answer(request, results, limit)

    @extend_schema(
        operation_id="search_by_picture",
        tags=["search"],
        request={"multipart/form-data": SearchPictureSerializer},
        responses={200: ResultsSerializer},
    )
    def post(self, request: Request) -> Response:
        """Pictures that look like the one sent, which is not kept."""
        limit = read_limit(request)
        file = read_upload(request)
        picture = read_query_picture(file, file.name or "")
        return answer(request, service.search_picture(picture, request.user, limit=limit), limit)


class SimilarView(ImageView):
    throttle_scopes = {"GET": "search"}

    @extend_schema(
        operation_id="images_similar",
        tags=["search"],
        parameters=[LIMIT, CURSOR],
        responses=RESULTS,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Pictures that look like this one, without it and its exact copies."""
        limit = read_limit(request)
        if cursor := request.query_params.get("cursor"):
            results = service.continue_search(cursor, request.user, limit=limit)
        else:
            results = service.search_similar(self.image, request.user, limit=limit)
        return answer(request, results, limit)


def read_limit(request: Request) -> int:
    """From the query or, where a picture is sent, from the form."""
    value = request.query_params.get("limit")
    if value is None and request.method == "POST":
        value = request.POST.get("limit")
    return DEFAULT_LIMIT if value is None else service.clean_limit(value)


def answer(request: Request, results: Results, limit: int) -> Response:
    body = {
        "results": results.hits,
        "exact": results.exact,
        "space": results.space.name,
        "next": _next_page(request, results.next, limit),
        "took_ms": results.took_ms,
        "exact_copies": results.exact_copies,
    }
    return Response(ResultsSerializer(body, context={"request": request}).data)


def _next_page(request: Request, cursor: str | None, limit: int) -> str | None:
    """Also for a search by a sent picture it is a GET: the cursor says it all."""
    if cursor is None:
        return None
    address = request.path if request.method == "GET" else reverse("api:search")
    return request.build_absolute_uri(f"{address}?{urlencode({'cursor': cursor, 'limit': limit})}")
