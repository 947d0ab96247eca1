"""Searches by a line, by terms and filters, by a stored picture, and by an uploaded picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.parsers import JSONParser, MultiPartParser
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.search import (
    LineSerializer,
    ParsedSerializer,
    PictureSerializer,
    QueryPictureSerializer,
    ResultsSerializer,
    SearchPictureSerializer,
    SearchSerializer,
    SuggestionsSerializer,
)
from gallery.api.uploads import read_upload
from gallery.api.views.base import ApiView, ImageView
from gallery.errors import Refusal
from gallery.library.query_picture import read_query_picture, read_small_picture
from gallery.organising import search_history
from gallery.search import service
from gallery.search.query import completion, query_pictures, syntax
from gallery.search.query.query import Query
from gallery.search.results import Results
from gallery.search.service import DEFAULT_LIMIT, MAX_LIMIT, MAX_LINE_CHARACTERS
from gallery.search.shown_hits import shown_hits

LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    description="Results on a page.",
)
CURSOR = OpenApiParameter("cursor", str, description="Continues a search. Taken from `next`.")
FOLD = OpenApiParameter(
    "fold", bool, description="`true`: near-duplicates are folded behind the best of them."
)
LINE = OpenApiParameter(
    "q",
    {"type": "string", "maxLength": MAX_LINE_CHARACTERS},
    description="What the pictures show, in words; also filters, as `tag:holiday`, and "
    "what they should not show, as `-people`.",
)
RESULTS = {200: ResultsSerializer, 410: ErrorResponseSerializer}


class SearchView(ApiView):
    parser_classes = [MultiPartParser, JSONParser]

    @extend_schema(
        operation_id="search",
        tags=["search"],
        parameters=[LINE, FOLD, LIMIT, CURSOR],
        responses=RESULTS,
    )
    def get(self, request: Request) -> Response:
        """Search with the line `q`, or get the next page of any search."""
        limit = read_limit(request)
        if cursor := request.query_params.get("cursor"):
            results = service.continue_search(cursor, request.user, limit=limit)
        else:
            line = request.query_params.get("q", "")
            fold = _yes_no(request.query_params.get("fold", "false"))
            results = service.search_text(line, request.user, limit, fold=fold)
            search_history.note(request.user, line)
        return answer(request, results, limit)

    @extend_schema(
        operation_id="search_by_picture",
        tags=["search"],
        request={
            "application/json": SearchSerializer,
            "multipart/form-data": SearchPictureSerializer,
        },
        responses=RESULTS,
    )
    def post(self, request: Request) -> Response:
        """Search with terms and filters (JSON), or for pictures that look like the one that you
        send in a form. That picture is not kept."""
        if request.content_type.startswith("multipart/"):
            limit = read_limit(request)
            file = read_upload(request)
            picture = read_query_picture(file, file.name or "", request.user)
            results = service.search_picture(picture, request.user, limit=limit)
        else:
            body = _object(request.data)
            limit = read_limit(request, body)
            results = self._of_query(request, body, limit)
        return answer(request, results, limit)

    def _of_query(self, request: Request, body: Mapping[str, Any], limit: int) -> Results:
        """Run the search that the JSON body describes. A null value counts as missing."""
        given = {key: value for key, value in body.items() if value is not None}
        cursor, fold = given.pop("cursor", ""), given.pop("fold", False)
        given.pop("limit", None)
        query = Query.from_json(given)
        if not isinstance(cursor, str):
            raise Refusal("bad_cursor", _("Give the cursor as a text, as in “next”."), "cursor")
        if cursor:
            _require_nothing_else(query)
            return service.continue_search(cursor, request.user, limit=limit)
        fold = _yes_no(fold)
        results = service.search(query, request.user, limit, fold=fold)
        search_history.note(request.user, syntax.format(query))
        return results


class QueryPictureView(ApiView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="search_pictures_create",
        tags=["search"],
        request={"multipart/form-data": PictureSerializer},
        responses={201: QueryPictureSerializer},
    )
    def post(self, request: Request) -> Response:
        """Keep a picture for an hour, to search with it or with parts of it."""
        file = read_upload(request)
        picture = read_small_picture(file, file.name or "", request.user)
        kept = query_pictures.keep(picture, request.user)
        return Response(QueryPictureSerializer({"id": kept}).data, status=201)


class CompletionView(ApiView):
    @extend_schema(
        operation_id="search_complete",
        tags=["search"],
        parameters=[
            LINE,
            OpenApiParameter(
                "at",
                {"type": "integer", "minimum": 0},
                description="The position of the cursor, in characters (code points); by default "
                "the end.",
            ),
        ],
        responses={200: SuggestionsSerializer},
    )
    def get(self, request: Request) -> Response:
        """Suggest how to continue the line `q`: keys, and values that you may know."""
        line = _line(request.query_params.get("q", ""))
        at = request.query_params.get("at", "")
        if at and not (at.isascii() and at.isdecimal()):
            raise Refusal("bad_position", _("Give the number of characters before it."), "at")
        cursor = int(at[:9]) if at else len(line)
        suggestions = completion.complete(line, cursor, request.user)
        return Response(SuggestionsSerializer({"suggestions": suggestions}).data)


class ParseView(ApiView):
    @extend_schema(
        operation_id="search_parse",
        tags=["search"],
        request=LineSerializer,
        responses={200: ParsedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Parse a line into terms and filters, without searching. An invalid line gets the same
        error as a search with it."""
        form = LineSerializer(data=_object(request.data))
        form.is_valid(raise_exception=True)
        parsed = service.parse_line(form.validated_data["q"], request.user)
        body = {
            **parsed.query.as_json(),
            "text": syntax.format(parsed.query),
            "notes": parsed.notes,
        }
        return Response(ParsedSerializer(body).data)


class SimilarView(ImageView):
    @extend_schema(
        operation_id="images_similar",
        tags=["search"],
        parameters=[LIMIT, CURSOR],
        responses=RESULTS,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Pictures that look like this one, without the picture itself and its exact copies."""
        limit = read_limit(request)
        if cursor := request.query_params.get("cursor"):
            results = service.continue_search(cursor, request.user, limit=limit)
        else:
            results = service.search_similar(self.image, request.user, limit=limit)
        return answer(request, results, limit)


def read_limit(request: Request, body: Mapping[str, Any] | None = None) -> int:
    """Read `limit` from the query, or from the form or the JSON object `body`."""
    value: Any = request.query_params.get("limit")
    if value is None and request.method == "POST":
        value = request.POST.get("limit") if body is None else body.get("limit")
    return DEFAULT_LIMIT if value is None else service.clean_limit(str(value))


def answer(request: Request, results: Results, limit: int) -> Response:
    body = {
        "results": shown_hits(results, request.user),
        "exact": results.exact,
        "space": results.space.name,
        "next": _next_page(request, results.next, limit),
        "took_ms": results.took_ms,
        "exact_copies": results.exact_copies,
        "query": syntax.format(results.query),
        "line": results.judgement.line,
        "fused": results.fused,
        "notes": results.notes,
    }
    return Response(ResultsSerializer(body, context={"request": request}).data)


def _next_page(request: Request, cursor: str | None, limit: int) -> str | None:
    """Return the address of the next page. It is a GET also after a POST, because the cursor
    contains the query."""
    if cursor is None:
        return None
    address = request.path if request.method == "GET" else reverse("api:search")
    return request.build_absolute_uri(f"{address}?{urlencode({'cursor': cursor, 'limit': limit})}")


def _object(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise Refusal("bad_query", _("Give a JSON object."))
    return data


def _require_nothing_else(query: Query) -> None:
    """Refuse a query next to a cursor. The cursor contains its own query, so it would have no
    effect. Raises Refusal (cursor_with_query)."""
    if query.is_empty:
        return
    raise Refusal(
        "cursor_with_query",
        _("A cursor continues its own search: send it without terms and filters."),
        "terms" if query.terms else "filters",
    )


def _line(text: str) -> str:
    if len(text) > MAX_LINE_CHARACTERS:
        raise Refusal(
            "query_too_long",
            _("A search has at most %(max)d characters.") % {"max": MAX_LINE_CHARACTERS},
            "q",
        )
    return text


def _yes_no(value: Any) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    wanted = known.get(str(value).lower())
    if wanted is None:
        raise Refusal("invalid", _("Say true or false."), "fold")
    return wanted
