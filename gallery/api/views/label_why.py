"""Why a picture has a label."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.serializers.label_why import WhySerializer
from gallery.api.views.base import ImageView
from gallery.labels import why


class ImageLabelWhyView(ImageView):
    serializer_class = WhySerializer

    @extend_schema(operation_id="images_label_why", tags=["label sets"])
    def get(self, request: Request, pk: UUID, category: UUID) -> Response:
        """Why a picture has a label, or has none: the most similar pictures that people answered
        for, of those that you may see, and which version of the set gave the label."""
        found = why.category_of(category, request.user)
        if found is None:
            raise NotFound(_("There is no such category, or it is not yours."))
        return Response(self.get_serializer(why.of(self.image, found, request.user)).data)
