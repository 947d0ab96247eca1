"""Label sets: list, make, change, delete, preview, apply."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from gallery.api.pagination import ByName
from gallery.api.serializers.label_sets import (
    AppliedSerializer,
    ChangedLabelSetSerializer,
    JobSerializer,
    LabelSetChangesSerializer,
    LabelSetSerializer,
    LabelsSerializer,
    NewLabelSetSerializer,
    PreviewSerializer,
)
from gallery.api.serializers.saved_searches import UndoSerializer
from gallery.api.views.base import ApiView, ImageView
from gallery.indexing.selectors import visible_to
from gallery.indexing.spaces import require_active_space
from gallery.labels import applying, fitting, previewing, reading, sets
from gallery.labels.definition import checked
from gallery.models import LabelSet
from gallery.models.labels import LabelSetQuerySet

_TAG = "label sets"


class LabelSetListView(ApiView):
    queryset = LabelSet.objects.all()
    serializer_class = LabelSetSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    pagination_class = ByName

    @extend_schema(
        operation_id="label_sets_list",
        tags=[_TAG],
        responses={200: LabelSetSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your label sets and those of the site, by name."""
        visible = sets.with_version(LabelSet.objects.visible_to(request.user))
        page = self.paginate_queryset(visible)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="label_sets_create",
        tags=[_TAG],
        request=NewLabelSetSerializer,
        responses={201: LabelSetSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a label set. Pictures get labels when you apply it."""
        form = NewLabelSetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = dict(form.validated_data)
        name, site = fields.pop("name"), fields.pop("site")
        made = sets.create(self.account(), name, checked(**fields), site=site)
        return Response(shown(self, made.pk), status=201)


class LabelSetView(ApiView):
    """A view of one label set, `self.label_set`. Its owner may do everything; administrators may
    do so with sets of the site, which everybody may read. Others get 404."""

    label_set: LabelSet
    serializer_class: type[BaseSerializer[Any]] = LabelSetSerializer
    # Whether all methods are for those who may change the set.
    for_owners = False

    def nameable(self) -> LabelSetQuerySet:
        if self.request.method == "GET" and not self.for_owners:
            return LabelSet.objects.visible_to(self.request.user)
        return LabelSet.objects.changeable_by(self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        found = sets.with_version(self.nameable().filter(pk=kwargs["pk"])).first()
        if found is None:
            raise NotFound(_("There is no such label set, or it is not yours."))
        self.label_set = found


def shown(view: ApiView, pk: UUID) -> Any:
    found = sets.with_version(LabelSet.objects.filter(pk=pk)).get()
    return view.get_serializer(found).data


class LabelSetDetailView(LabelSetView):
    @extend_schema(operation_id="label_sets_read", tags=[_TAG])
    def get(self, request: Request, pk: UUID) -> Response:
        """One label set with its categories."""
        return Response(self.get_serializer(self.label_set).data)

    @extend_schema(
        operation_id="label_sets_change",
        tags=[_TAG],
        request=LabelSetChangesSerializer,
        responses={200: ChangedLabelSetSerializer},
    )
    @transaction.atomic
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change a label set. Another mode, other templates or categories make a new version.
        Labels follow when you apply it. `undo` restores the former thresholds."""
        form = LabelSetChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = dict(form.validated_data)
        thresholds = fields.pop("thresholds", {})
        sets.update(self.label_set, self.account(), **fields)
        change = sets.set_thresholds(self.label_set, self.account(), thresholds)
        context = {**self.get_serializer_context(), "change": change}
        found = sets.with_version(LabelSet.objects.filter(pk=pk)).get()
        return Response(ChangedLabelSetSerializer(found, context=context).data)

    @extend_schema(operation_id="label_sets_delete", tags=[_TAG], responses={200: UndoSerializer})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete a label set with its labels and answers."""
        change = sets.delete(self.label_set, self.account())
        context = self.get_serializer_context()
        return Response(UndoSerializer({"change": change}, context=context).data)


class LabelSetPreviewView(LabelSetView):
    serializer_class = PreviewSerializer
    for_owners = True

    @extend_schema(
        operation_id="label_sets_preview",
        tags=[_TAG],
        request=None,
        responses={200: PreviewSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """What applying would change, with some of the pictures. Nothing changes yet. People's
        answers stay and are not counted. Of a set of the site, the pictures that you may see are
        counted."""
        space = require_active_space()
        fit = fitting.require(self.label_set, space)
        images = visible_to(request.user)
        found = previewing.preview(fit, fitting.weights_of(fit), space, images)
        return Response(self.get_serializer(found).data)


class LabelSetApplyView(LabelSetView):
    serializer_class = AppliedSerializer
    for_owners = True

    @extend_schema(
        operation_id="label_sets_apply",
        tags=[_TAG],
        request=None,
        responses={202: AppliedSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Label your pictures by this set: a worker adds labels and takes back those that no
        longer hold. From then on, new pictures are labelled, too."""
        fit = fitting.require(self.label_set, require_active_space())
        job, change = applying.request(self.label_set, self.account(), fit)
        body = self.get_serializer({"job": job, "change": change}).data
        return Response(body, status=202)


class LabelJobListView(LabelSetView):
    serializer_class = JobSerializer
    for_owners = True
    pagination_class = None

    @extend_schema(
        operation_id="label_sets_jobs", tags=[_TAG], responses={200: JobSerializer(many=True)}
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The latest jobs of a label set, the newest first."""
        found = applying.jobs_of(self.label_set)[:50]
        return Response(self.get_serializer(found, many=True).data)


class LabelJobView(LabelSetView):
    serializer_class = JobSerializer
    for_owners = True

    @extend_schema(operation_id="label_sets_job", tags=[_TAG])
    def get(self, request: Request, pk: UUID, job: UUID) -> Response:
        """How far a job is. `state` is `waiting`, `running`, `done`, `stopped` or `failed`."""
        found = applying.jobs_of(self.label_set).filter(pk=job).first()
        if found is None:
            raise NotFound(_("This label set has no such job."))
        return Response(self.get_serializer(found).data)


class ImageLabelsView(ImageView):
    serializer_class = LabelsSerializer

    @extend_schema(operation_id="images_labels", tags=[_TAG])
    def get(self, request: Request, pk: UUID) -> Response:
        """The labels of a picture: from your own sets and from those of the site."""
        found = reading.of_picture(self.image, request.user)
        return Response(self.get_serializer({"results": found}).data)
