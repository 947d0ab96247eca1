"""Label sets: answers, what to ask next, quality, evaluation, files, sorting at once, facets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.parsers import JSONParser, MultiPartParser
from gallery.api.serializers.label_answers import (
    AnsweredSerializer,
    AnswersSerializer,
    CategoryCountSerializer,
    DoubtsSerializer,
    EvaluateSerializer,
    EvaluationSerializer,
    ImportSerializer,
    QualitySerializer,
    QuestionsSerializer,
    ReadyKeySerializer,
    ReadySerializer,
    SortedSerializer,
    SortSerializer,
)
from gallery.api.serializers.label_sets import LabelSetSerializer
from gallery.api.views.base import ApiView
from gallery.api.views.explore import FilteredView
from gallery.api.views.label_sets import LabelSetView, shown
from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.indexing.spaces import require_active_space
from gallery.labels import (
    answers,
    asking,
    evaluating,
    files,
    fitting,
    quality,
    reading,
    ready,
    sets,
    sorting,
)
from gallery.labels.definition import checked
from gallery.models import Answer, LabelSet
from gallery.models.labels import LabelSetQuerySet
from gallery.search.filters import image_filter

_TAG = "label sets"


class AnswersView(LabelSetView):
    serializer_class = AnsweredSerializer

    def nameable(self) -> LabelSetQuerySet:
        """Return the sets that the account sees: of those of the site, owners answer for their
        own pictures."""
        visible = LabelSet.objects.visible_to(self.request.user)
        return visible if self.request.user.pk else visible.none()

    @extend_schema(
        operation_id="label_sets_answer",
        tags=[_TAG],
        request=AnswersSerializer,
        responses={200: AnsweredSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Say of pictures whether they are of a category. All answers are stored, or none. The
        last word counts. Of a set of the site you answer for your own pictures."""
        form = AnswersSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data["answers"]
        change = answers.give(self.label_set, self.account(), given)
        return Response(self.get_serializer({"change": change}).data)


class QuestionsView(LabelSetView):
    serializer_class = QuestionsSerializer
    for_owners = True

    @extend_schema(
        operation_id="label_sets_next",
        tags=[_TAG],
        parameters=[
            OpenApiParameter(
                "category", description="Its id or name; without it, the one with fewest answers."
            ),
            OpenApiParameter(
                "count",
                {"type": "integer", "minimum": 1, "maximum": asking.MOST, "default": asking.COUNT},
            ),
        ],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The pictures to ask about next: a part of the random sample by which quality is
        measured, then those near the line."""
        named = request.query_params.get("category")
        category = (
            sets.category(self.label_set, named) if named else asking.next_category(self.label_set)
        )
        count = _read_count(request)
        found = asking.ask(self.label_set, category, self.account(), require_active_space(), count)
        pictures = selectors.visible_by_id([one.image for one in found], request.user)
        results = [
            {
                "image": one.image,
                "picture": pictures[one.image],
                "probability": one.probability,
                "reason": one.reason,
            }
            for one in found
            if one.image in pictures
        ]
        said = Answer.objects.filter(category=category).count()
        body = {"category": category, "answers": said, "results": results}
        return Response(self.get_serializer(body).data)


def _read_count(request: Request) -> int:
    text = request.query_params.get("count", str(asking.COUNT))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= asking.MOST):
        raise Refusal(
            "bad_count",
            _("“count” must be a whole number from 1 to %(max)d.") % {"max": asking.MOST},
            "count",
        )
    return int(text)


class QualityView(LabelSetView):
    serializer_class = QualitySerializer
    for_owners = True

    @extend_schema(operation_id="label_sets_quality", tags=[_TAG])
    def get(self, request: Request, pk: UUID) -> Response:
        """How good the labels are, by your answers: calibration, precision and recall with
        intervals (from the random sample alone), and thresholds for wishes."""
        found = quality.of_set(self.label_set, self.account(), require_active_space())
        context = {**self.get_serializer_context(), "pool": found.pool}
        return Response(QualitySerializer(found, context=context).data)


class DoubtsView(LabelSetView):
    serializer_class = DoubtsSerializer
    for_owners = True

    @extend_schema(operation_id="label_sets_doubts", tags=[_TAG])
    def get(self, request: Request, pk: UUID) -> Response:
        """Answers that the set doubts, the surest doubt first: perhaps a slip of the hand."""
        found = quality.doubts(self.label_set, self.account(), require_active_space())
        return Response(self.get_serializer({"results": found}).data)


class EvaluateView(LabelSetView):
    serializer_class = EvaluationSerializer
    parser_classes = [JSONParser, MultiPartParser]
    for_owners = True

    @extend_schema(
        operation_id="label_sets_evaluate",
        tags=[_TAG],
        request=EvaluateSerializer,
        responses={200: EvaluationSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Evaluate the set by pictures of the gallery whose category you know."""
        form = EvaluateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file = form.validated_data.get("file")
        labelled = (
            evaluating.read_csv(file.read())
            if file is not None
            else form.validated_data.get("labels", [])
        )
        space = require_active_space()
        fit = fitting.require(self.label_set, space)
        truths = evaluating.vectors_of(labelled, self.label_set, self.account(), space)
        found = quality.evaluate(fit, truths.vectors, truths.categories, truths.left_out)
        return Response(self.get_serializer(found).data)


class ExportView(LabelSetView):
    serializer_class = None  # type: ignore[assignment]

    @extend_schema(
        operation_id="label_sets_export",
        tags=[_TAG],
        parameters=[
            OpenApiParameter("kind", {"type": "string", "enum": ["json", "csv"]}),
        ],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """A label set as a file: JSON with all of it, or CSV with its categories."""
        kind = request.query_params.get("kind", "json")
        if kind not in {"json", "csv"}:
            raise Refusal("bad_kind", _("Say “json” or “csv”."), "kind")
        if kind == "json":
            text, content_type = files.to_json(self.label_set), "application/json"
        else:
            text, content_type = files.to_csv(self.label_set), "text/csv; charset=utf-8"
        response = HttpResponse(text, content_type=content_type)
        name = f"{self.label_set.name}.{kind}"
        response["Content-Disposition"] = content_disposition_header(True, name) or ""
        return response


class ImportView(ApiView):
    serializer_class = LabelSetSerializer
    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="label_sets_import",
        tags=[_TAG],
        request={"multipart/form-data": ImportSerializer},
        responses={201: LabelSetSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a label set from a file, as the export gives it."""
        form = ImportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        if given["file"].size > files.MAX_BYTES:
            files.refuse_size()
        read = files.read(given["file"].read())
        name = given.get("name") or read.name
        made = sets.create(self.account(), name, read.definition, site=given["site"])
        return Response(shown(self, made.pk), status=201)


class ReadyView(ApiView):
    serializer_class = ReadySerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    pagination_class = None

    @extend_schema(
        operation_id="label_sets_ready", tags=[_TAG], responses={200: ReadySerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """The label sets that come with Clipsite."""
        return Response(self.get_serializer(ready.ready_sets(), many=True).data)

    @extend_schema(
        operation_id="label_sets_take_ready",
        tags=[_TAG],
        request=ReadyKeySerializer,
        responses={201: LabelSetSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a label set of your own from one that comes with Clipsite."""
        form = ReadyKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = ready.ready_set(form.validated_data["key"])
        made = sets.create(self.account(), chosen.name, chosen.definition, renamed=True)
        found = sets.with_version(LabelSet.objects.filter(pk=made.pk)).get()
        return Response(LabelSetSerializer(found).data, status=201)


class SortView(ApiView):
    serializer_class = SortedSerializer

    @extend_schema(
        operation_id="label_sets_sort",
        tags=[_TAG],
        request=SortSerializer,
        responses={200: SortedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Sort the pictures that you may see into categories, without keeping anything."""
        form = SortSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(form.validated_data)
        filters, count = fields.pop("filters", {}), fields.pop("shown")
        definition = checked(**fields)
        visible = selectors.visible_to(request.user)
        images = image_filter.narrow(visible, filters, request.user)
        found = sorting.sort(definition, require_active_space(), images, count)
        return Response(self.get_serializer(found).data)


class CategoryCountsView(FilteredView):
    serializer_class = CategoryCountSerializer
    pagination_class = None

    @extend_schema(
        operation_id="images_categories",
        tags=[_TAG],
        responses={200: CategoryCountSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """How many of the pictures that you see, narrowed by filters, each category has."""
        known = list(reading.categories_for(request.user))
        counts = reading.counted(self.pictures(request), known)
        rows = [
            {"category": category, "count": counts[category.pk]}
            for category in known
            if counts.get(category.pk)
        ]
        return Response(self.get_serializer(rows, many=True).data)
