"""The months of the timeline. `images/?order=taken` with date filters lists their pictures."""

from __future__ import annotations

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.filters import ImageFilter
from gallery.api.serializers.timeline import TimelineSerializer
from gallery.api.views.base import ApiView
from gallery.models import Image
from gallery.organising.timeline import months
from gallery.search.filters import image_filter


class TimelineView(ApiView):
    queryset = Image.objects.all()
    serializer_class = TimelineSerializer
    # For the schema; `filters.narrow` does the work.
    filter_backends = [DjangoFilterBackend]
    filterset_class = ImageFilter

    @extend_schema(operation_id="timeline", tags=["images"], responses={200: TimelineSerializer})
    def get(self, request: Request) -> Response:
        """The number of pictures of each month, the latest first. Archived pictures count only if
        you ask for them."""
        visible = Image.objects.visible_to(request.user)
        images = image_filter.narrow(visible, request.query_params, request.user)
        if not request.query_params.get("archived"):
            images = images.filter(archived_at__isnull=True)
        found = months(images)
        return Response({"months": found, "total": sum(month["count"] for month in found)})
