"""The page of one picture: view, details, edit, retry."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import trigger_client_event

from gallery.errors import Refusal
from gallery.indexing import selectors, states
from gallery.library.clocks import offset_text
from gallery.models import Album, AlbumShare, Image, Tag, User, Viewer
from gallery.organising import details as noted
from gallery.organising import duplicates, looks
from gallery.organising.details_of_many import MOST_STARS
from gallery.retryable import can_pass
from gallery.sharing import shares
from gallery.web.access import is_fragment, signed_in
from gallery.web.pictures.classify_form import choices
from gallery.web.pictures.exif_lines import exif_lines
from gallery.web.pictures.names import name_of
from gallery.web.pictures.neighbours import of_same_owner
from gallery.web.pictures.palette import palette_of
from gallery.web.pictures.picture_form import DetailsForm
from gallery.web.pictures.tiles import srcset, thumbnail
from gallery.web.sharing import previews
from gallery.work import ledger

# The choices for the seconds per picture in a slideshow.
INTERVALS = [2, 3, 5, 10, 20, 60]
# The width of the picture in the editor.
_EDITED_WIDTH = 1280
# Written by static/js/picture/panel.js: pages begin with the panel as it was left, without a jump.
PANEL_COOKIE = "viewer-panel"


@require_safe
def image(request: HttpRequest, pk: UUID) -> HttpResponse:
    return picture_page(request, reachable(request, pk))


def picture_page(request: HttpRequest, image: Image, **extra: Any) -> HttpResponse:
    context = {**_context(request, image), "preview": previews.of_image(request, image), **extra}
    return render(request, "gallery/picture.html", context)


def reachable(request: HttpRequest, pk: UUID) -> Image:
    """Return the picture if the visitor may see it. Raises Http404."""
    found = selectors.reachable_by_id(pk, request.user)
    if found is None:
        raise Http404
    return found


@require_safe
def details(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Owner, visibility and description. "Cancel" in the form restores them."""
    if not is_fragment(request):
        return redirect("image", pk=pk)
    return render(request, "gallery/details.html", _context(request, reachable(request, pk)))


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@signed_in
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    image = _own(request, pk)
    form = DetailsForm(request.POST or None, instance=image)
    if form.is_valid() and _save(form):
        if is_fragment(request):
            context = {**_context(request, _own(request, pk)), "is_saved": True}
            return render(request, "gallery/details.html", context)
        return redirect("image", pk=pk)
    template = "gallery/details_form.html" if is_fragment(request) else "gallery/edit.html"
    return render(request, template, {"form": form, "image": image})


def _save(form: DetailsForm) -> bool:
    """Save the form and return whether that worked. A refusal is shown next to its field."""
    try:
        noted.change(form.instance, **form.cleaned_data)
    except Refusal as refusal:
        form.add_error(refusal.field, str(refusal.message))
        return False
    return True


@require_safe
@signed_in
def state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The state of the picture, which the page polls while it is being encoded."""
    return _state(request, _own(request, pk))


@require_POST
@signed_in
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Retry the analyses of the picture that failed, for example the encoding."""
    image = _own(request, pk)
    ledger.retry_failed(Image.objects.filter(pk=image.pk))
    if is_fragment(request):
        return _state(request, _own(request, pk))
    return redirect("image", pk=pk)


def _own(request: HttpRequest, pk: UUID) -> Image:
    mine = Image.objects.owned_by(request.user).select_related("owner")
    return get_object_or_404(states.with_state(mine), pk=pk)


def _state(request: HttpRequest, image: Image) -> HttpResponse:
    state = _state_of(image)
    response = render(request, "gallery/state.html", {"image": image, **state})
    # The list of similar pictures waits for this event.
    if state["state"] == "ready":
        trigger_client_event(response, "picture-ready")
    return response


def _state_of(image: Image) -> dict[str, Any]:
    """Return one state for all analyses. It is "failed" if any of them failed, and `may_pass`
    tells whether a retry may help."""
    failed = states.failures(image)
    if not failed:
        return {"state": image.index_state, "reason": ""}
    may_pass = any(can_pass(row.reason_code) for row in failed)
    return {"state": "failed", "reason": _sentence(failed[0].sentence), "may_pass": may_pass}


def _sentence(kept: str) -> str:
    """Translate a reason, which workers store in English."""
    return _(kept) if kept else _("It failed for an unknown reason.")


def _context(request: HttpRequest, image: Image) -> dict[str, Any]:
    page = reverse("image", args=[image.pk])
    offered = choices(request)
    offset = offset_text(image.offset)
    return {
        "image": image,
        "is_owner": image.is_owned_by(request.user),
        "settings": exif_lines(image.exif),
        "offset": offset and f"UTC{offset}",
        "palette": palette_of(image),
        "picture": {
            "name": image.name_for(request.user),
            "parts": name_of(image, request.user),
            "src": thumbnail(image, 1280),
            "srcset": srcset(image),
            "true_ratio": round(image.width / image.height, 6),
            # A picture is never shown larger than twice its own pixels.
            "widest": 2 * image.width,
            "file": _file_of(image),
            "format": image.content_type.removeprefix("image/").upper(),
            "link": request.build_absolute_uri(page),
        },
        "editor": _editor_of(image, request.user),
        "stars": [(count, count <= image.rating) for count in range(1, MOST_STARS + 1)],
        "beside": of_same_owner(image, request.user),
        "intervals": INTERVALS,
        "panel_is_open": request.COOKIES.get(PANEL_COOKIE) == "open",
        "has_label_sets": bool(offered["label_sets"]),
        **offered,
        **_state_of(image),
        **_notes(request, image),
        "near_duplicates": _near_duplicates(request, image),
    }


def _file_of(image: Image) -> str:
    """Return the address of the full size, another one for each look: within a page, browsers show
    a picture again without asking."""
    address = reverse("api:image-file", args=[image.pk])
    return f"{address}?look={image.edition}" if image.is_edited else address


def _editor_of(image: Image, viewer: Viewer) -> dict[str, str] | None:
    """Return what the editor needs of the viewer's own still picture: the address of all of it,
    as it is without a recipe, and the recipe as JSON."""
    if not (image.is_owned_by(viewer) and looks.is_editable(image)):
        return None
    whole = reverse("api:image-thumbnail", args=[image.pk])
    return {
        "src": f"{whole}?w={_EDITED_WIDTH}&original=1",
        "recipe": json.dumps(looks.as_shown(image.recipe)),
    }


def _near_duplicates(request: HttpRequest, image: Image) -> int:
    """Return how many near-duplicates the owner has of this picture. It is 0 for others."""
    if not isinstance(request.user, User) or not image.is_owned_by(request.user):
        return 0
    return duplicates.beside(image, request.user)


def _shared_with(request: HttpRequest, image: Image) -> list[AlbumShare]:
    """Return, for the owner, a share with each person or group that sees the picture for itself or
    in a selection."""
    if not image.is_owned_by(request.user):
        return []
    found = {(share.user_id, share.group_id): share for share in shares.shares_of_image(image)}
    return list(found.values())


def _notes(request: HttpRequest, image: Image) -> dict[str, Any]:
    """Return the albums in which the visitor sees the picture, and the visitor's tags: those on
    the picture, and all as suggestions."""
    own_tags = Tag.objects.filter(owner_id=request.user.pk or 0)
    return {
        "albums": Album.objects.visible_to(request.user).listed().filter(items__image=image),
        "shared_with": _shared_with(request, image),
        "tags": own_tags.filter(images=image).values_list("name", flat=True),
        "own_tags": own_tags.values_list("name", flat=True)[:500],
    }
