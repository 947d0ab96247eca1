from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from gallery.accounts import confirmation
from gallery.admin.base import ModelAdmin


class ConfirmedAdmin(ModelAdmin):
    """Changes that open or close an account. Each needs a recent confirmation by the
    administrator."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        _confirm(request)
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _confirm(request)
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _confirm(request)
        return super().delete_view(request, *args, **kwargs)


def _confirm(request: HttpRequest) -> None:
    if request.method == "POST":
        confirmation.require_recent(request)
