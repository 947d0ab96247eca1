"""Health checks for load balancers and operators, without sign-in, session and throttle."""

from __future__ import annotations

from dataclasses import asdict

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from clipsite import __version__
from gallery.api.serializers.status import HealthSerializer, ReadinessSerializer, RootSerializer
from gallery.api.views.base import ApiView
from gallery.status import is_ready, readiness

RETRY_SECONDS = "5"
LINKS = ("docs", "schema", "health", "ready")


class StatusView(ApiView):
    authentication_classes = []
    throttle_classes = []


class RootView(StatusView):
    """Open to everybody: docs/decisions/0035."""

    @extend_schema(operation_id="root", tags=["status"], responses={200: RootSerializer})
    def get(self, request: Request) -> Response:
        """What answers here, in which version, and where to read on."""
        links = {name: request.build_absolute_uri(reverse(f"api:{name}")) for name in LINKS}
        return Response({"name": "Clipsite", "version": __version__, "links": links})


class HealthView(StatusView):
    @extend_schema(operation_id="health", tags=["status"], responses={200: HealthSerializer})
    def get(self, request: Request) -> Response:
        """Check that the process answers. This does not use the database or the broker."""
        return Response({"status": "ok"})


class ReadyView(StatusView):
    @extend_schema(
        operation_id="ready",
        tags=["status"],
        responses={200: ReadinessSerializer, 503: ReadinessSerializer},
    )
    def get(self, request: Request) -> Response:
        """Check that everything a search needs is available, and name what is not. Storage and
        work are reported but do not decide the status."""
        parts = readiness()
        body = {name: asdict(part) for name, part in parts.items()}
        if is_ready(parts):
            return Response(body)
        return Response(body, status=503, headers={"Retry-After": RETRY_SECONDS})
