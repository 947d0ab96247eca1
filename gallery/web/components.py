"""The page that shows every component, light and dark: what a change of style is looked at with."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gallery.accounts import roles
from gallery.web.restricted import only_for

# Tokens of static/css/base.css.
_COLOURS = (
    *("bg", "surface", "sunken", "line", "line-strong", "ink", "ink-soft", "accent", "accent-wash"),
    *("danger", "danger-wash", "warn", "warn-wash", "stage"),
)
_SPACES = tuple(f"space-{step}" for step in range(1, 9))
_TEXTS = ("text-mini", "text-tiny", "text-small", "text-medium", "text-base", "text-large")
_CORNERS = ("radius-small", "radius", "radius-large", "radius-round")


@only_for(lambda viewer: viewer.is_staff or roles.is_administrator(viewer))
@require_safe
def components(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "components/page.html",
        {
            "themes": ("light", "dark"),
            "colours": _COLOURS,
            "spaces": _SPACES,
            "texts": _TEXTS,
            "corners": _CORNERS,
        },
    )
