from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from gallery.models import Viewer
from gallery.web.access import P, View, signed_in


def only_for(allowed: Callable[[Viewer], bool]) -> Callable[[View[P]], View[P]]:
    """Make a page only for some roles. Other signed-in users get 404."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not allowed(request.user):
                raise Http404
            return view(request, *args, **kwargs)

        return signed_in(guarded)

    return decorate
