"""Access checks of the page views, and values that requests bring."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from gallery.accounts import confirmation
from gallery.errors import Refusal
from gallery.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(view: View[P]) -> View[P]:
    """Send anonymous visitors to the sign-in page, for every address, so that they do not learn
    what exists. After signing in they return to the page where they were. A form that they sent
    is lost."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        login = redirect_to_login(_page_of(request))
        if is_fragment(request):
            return HttpResponseClientRedirect(login.url)
        return login

    return guarded


def confirmed(view: View[P]) -> View[P]:
    """Require a recent confirmation of the user's identity before a request that opens or closes
    an account. If the last confirmation is too old, the user confirms again, and the request is
    then repeated. Use it inside `signed_in`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"}:
            confirmation.require_recent(request)
        return view(request, *args, **kwargs)

    return guarded


def member(request: HttpRequest) -> User:
    """Return the signed-in user. Raises PermissionDenied for a visitor."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx requests a part of a page."""
    return request.headers.get("HX-Request") == "true"


def posted_picture(request: HttpRequest) -> UploadedFile:
    """Return the file of the field `file`. Raises Refusal (no_file)."""
    file = request.FILES.get("file")
    if file is None:
        raise Refusal("no_file", _("Choose a picture first."), "file")
    return file


def next_address(request: HttpRequest, default: str) -> str:
    """Return the address to go to after a form. It is the form's `next` if that is on this site,
    else `default`, a route name or an address."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return wanted
    return resolve_url(default)


def _page_of(request: HttpRequest) -> str:
    if is_fragment(request):
        page = request.headers.get("HX-Current-URL", "")
        if url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
            return page
    return request.get_full_path() if request.method == "GET" else reverse("home")
