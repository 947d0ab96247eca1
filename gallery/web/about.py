from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery.indexing.spaces import active_space
from gallery.web.model import is_starter


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """The page about the search: how it works, its model, and how to get a better one."""
    space = active_space()
    return render(
        request,
        "gallery/about.html",
        {
            "space": space,
            "starter": is_starter(space),
            "spaces_admin": reverse("admin:gallery_embeddingspace_changelist"),
        },
    )
