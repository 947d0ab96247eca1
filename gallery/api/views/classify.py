"""Classification of a picture with the user's own categories."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.parsers import MultiPartParser
from gallery.api.serializers.classify import (
    ClassificationSerializer,
    ClassNamesSerializer,
    PictureClassNamesSerializer,
)
from gallery.api.uploads import read_upload
from gallery.api.views.base import ApiView, ImageView
from gallery.classification import service
from gallery.classification.service import Classification
from gallery.errors import Refusal
from gallery.library.query_picture import read_query_picture
from gallery.models import Image, LabelSet
from gallery.models.image import ImageQuerySet


class ImageClassifyView(ImageView):
    def nameable(self) -> ImageQuerySet:
        """Return the pictures that the viewer may see. This POST changes nothing, so it does not
        need ownership."""
        return Image.objects.reachable_by(self.request.user)

    @extend_schema(
        operation_id="images_classify",
        tags=["classify"],
        request=ClassNamesSerializer,
        responses={200: ClassificationSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Classify a stored picture: the probability of each category."""
        return _answer(service.classify_image(self.image, **_categories(request)))


class ClassifyView(ApiView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="classify_picture",
        tags=["classify"],
        request={"multipart/form-data": PictureClassNamesSerializer},
        responses={200: ClassificationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Classify a picture that you send: the probability of each category. The picture is not
        kept.

        In the form, repeat `classnames` and `templates`, or send each as one JSON array. A single
        plain `classnames` is split at commas, semicolons and line ends.
        """
        file = read_upload(request)
        categories = _categories(request)
        picture = read_query_picture(file, file.name or "", request.user)
        return _answer(service.classify_picture(picture, **categories))


def _categories(request: Request) -> dict[str, Any]:
    """Read the categories. Raises Refusal (unknown_label_set)."""
    form = ClassNamesSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    found: dict[str, Any] = dict(form.validated_data)
    if "label_set" in found:
        visible = LabelSet.objects.visible_to(request.user)
        found["label_set"] = visible.filter(pk=found["label_set"]).first()
        if found["label_set"] is None:
            raise Refusal(
                "unknown_label_set",
                _("There is no such label set, or it is not yours."),
                "label_set",
            )
    return found


def _answer(classification: Classification) -> Response:
    body = {
        "results": classification.results,
        "space": classification.space.name,
        "templates": classification.templates,
    }
    return Response(ClassificationSerializer(body).data)
