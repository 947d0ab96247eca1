"""The progress of the workers, for all pictures and for one."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.accounts import roles
from gallery.api.serializers.analyses import AnalysesSerializer, ImageAnalysesSerializer
from gallery.api.views.base import ImageView, image_or_404
from gallery.api.views.restricted import AdministratorView
from gallery.models import Image, Outage
from gallery.models.image import ImageQuerySet
from gallery.work import coverage


class AnalysesView(AdministratorView):
    serializer_class = AnalysesSerializer

    @extend_schema(operation_id="analyses", tags=["status"])
    def get(self, request: Request) -> Response:
        """The numbers of finished, waiting and failed pictures of each analyser, and the current
        outages."""
        body = {
            "analysers": coverage.count(),
            "outages": Outage.objects.order_by("since"),
        }
        return Response(self.get_serializer(body).data)


class ImageAnalysesView(ImageView):
    """For the owner of the picture, who may retry, and for administrators."""

    serializer_class = ImageAnalysesSerializer

    def nameable(self) -> ImageQuerySet:
        if roles.is_administrator(self.request.user):
            return Image.objects.filter(deleted_at=None)
        return Image.objects.owned_by(self.request.user)

    def find(self, pk: UUID) -> Image:
        return image_or_404(self.nameable().filter(pk=pk).first())

    @extend_schema(operation_id="images_analyses", tags=["images"])
    def get(self, request: Request, pk: UUID) -> Response:
        """The state of each analyser for your picture, with the reason of a failure."""
        body = {"analysers": coverage.of_picture(self.image)}
        return Response(self.get_serializer(body).data)
