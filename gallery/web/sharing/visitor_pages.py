"""The pages of a share link, for everybody who has its address, signed in or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.labels import reading
from gallery.models import Image, ShareLink
from gallery.requester import network_of
from gallery.sharing import downloads, link_access, link_contents, link_keys
from gallery.sharing.link_access import LinkGone, Locked
from gallery.web import errors
from gallery.web.access import is_fragment
from gallery.web.labels.loading import name_of
from gallery.web.sharing import previews
from gallery.web.sharing.link_tiles import picture_for, tiles_for

PAGE = 60
# Small pictures on either side of one.
AROUND = 8

P = ParamSpec("P")
LinkView = Callable[Concatenate[HttpRequest, ShareLink, P], HttpResponseBase]
TokenView = Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]


def by_link(view: LinkView[P]) -> TokenView[P]:
    """Find the link of the address. Show a page if it does not work, and redirect to its first
    page if it is locked. Its pages are not cached and do not send its address to other sites."""

    @wraps(view)
    def guarded(
        request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        try:
            response = view(request, link_access.find_link(token), *args, **kwargs)
        except LinkGone as gone:
            response = _gone(request, gone)
        except Locked:
            response = redirect("shared", token)
        return link_keys.guard(response)

    return guarded


@require_safe
@vary_on_headers("HX-Request")
@by_link
def shared(request: HttpRequest, link: ShareLink) -> HttpResponseBase:
    """The album or the picture, or the form to unlock the link."""
    if request.GET.get("language") in dict(settings.LANGUAGES):
        return _in_language(link, request.GET["language"])
    if not link_access.is_visiting(link, link_keys.key_of(request, link)):
        if link_access.asks_first(link):
            link_access.check_open(link)
            return _door(request, link)
        if request.method == "GET":
            link_keys.remember(request, link, link_access.begin(link))
    if link.image is not None:
        return _picture(request, link, link.image)
    return _album(request, link)


# Without a CSRF check: the pages of a link send no referrer, so Django could not check where the
# form came from. The request changes nothing in the name of an account.
@csrf_exempt
@require_POST
@by_link
def unlock(request: HttpRequest, link: ShareLink) -> HttpResponseBase:
    password = request.POST.get("password", "")
    try:
        key = link_access.begin(link, password, network_of(request))
    except LinkGone:
        raise
    except Refusal as refusal:
        return _door(request, link, refusal)
    link_keys.remember(request, link, key)
    return redirect("shared", link.token)


@require_safe
@by_link
def shared_image(request: HttpRequest, link: ShareLink, image_id: UUID) -> HttpResponseBase:
    link_access.check_visit(link, link_keys.key_of(request, link))
    image = link_contents.pictures_of(link).filter(pk=image_id).first()
    if image is None:
        raise LinkGone
    return _picture(request, link, image)


@require_safe
@by_link
def download(request: HttpRequest, link: ShareLink) -> HttpResponseBase:
    link_access.check_visit(link, link_keys.key_of(request, link))
    return downloads.zip_response(link)


def _album(request: HttpRequest, link: ShareLink) -> HttpResponse:
    images, after = link_contents.page(link, request.GET.get("after"), PAGE)
    address = reverse("shared", args=[link.token])
    context = {
        "link": link,
        "tiles": tiles_for(link, images),
        "more": f"{address}?{urlencode({'after': after})}" if after else None,
    }
    if is_fragment(request):
        return render(request, "sharing/shared_tiles.html", context)
    about = link_contents.about(link)
    context |= {"about": about, "count": link_contents.pictures_of(link).count()}
    context["preview"] = previews.of_link(request, link)
    return render(request, "sharing/shared_album.html", context)


def _picture(request: HttpRequest, link: ShareLink, image: Image) -> HttpResponse:
    context = {
        "link": link,
        "about": link_contents.about(link),
        "image": image,
        "picture": picture_for(link, image),
        "widest": 2 * image.width,
        "true_ratio": round(image.width / image.height, 6),
        "preview": previews.of_link(request, link, image),
        "categories": _categories(image),
    }
    if link.album is not None:
        found = link_contents.neighbours(link, image)
        if found is None:
            raise Http404
        context["neighbours"] = found
        context["before"] = found.before and _page_of(link, found.before)
        context["after"] = found.after and _page_of(link, found.after)
        if found.count > 1:
            around = link_contents.window(link, image, AROUND)
            context["strip"] = tiles_for(link, around)
    return render(request, "sharing/shared_picture.html", context)


def _categories(image: Image) -> list[str]:
    """Return the names of its categories in sets of the site. The page is the same for everybody:
    it shows no sets of the visitor's own."""
    shown = reading.of_picture(image, AnonymousUser())
    return list(dict.fromkeys(name_of(one.category) for one in shown))


def _page_of(link: ShareLink, image_id: UUID) -> str:
    return reverse("shared_image", args=[link.token, image_id])


def _door(request: HttpRequest, link: ShareLink, problem: Refusal | None = None) -> HttpResponse:
    context = {"link": link, "problem": problem}
    status = problem.status if problem else 200
    response = render(request, "sharing/door.html", context, status=status)
    if problem is not None and problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    return response


def _gone(request: HttpRequest, gone: LinkGone) -> HttpResponse:
    if is_fragment(request):
        return errors.refused(request, gone)
    return render(request, "sharing/gone.html", {"message": gone.message}, status=gone.status)


def _in_language(link: ShareLink, language: str) -> HttpResponse:
    """Set the language by a plain link. A form would need a CSRF check: see `unlock`."""
    response = redirect("shared", link.token)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
