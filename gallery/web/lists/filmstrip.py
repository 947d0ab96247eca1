"""The pictures around one in the list from which it was opened, for the row of small pictures below
it, and all of that list in a random order, for a slideshow."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.models import Image
from gallery.models.image import ImageQuerySet
from gallery.web.lists import scopes
from gallery.web.pictures.neighbours import window
from gallery.web.pictures.picture import reachable
from gallery.web.pictures.tiles import thumbnail

# Pictures on either side.
AROUND = 18
# Pictures that one request may name.
MOST = 60
# Pictures of a slideshow in a random order.
SHUFFLED = 200
# The width of a small picture in pixels.
_WIDTH = 160


@require_safe
def filmstrip(request: HttpRequest, pk: UUID) -> JsonResponse:
    """Return the pictures of `?ids=`, which the browser knows from its list, or those around the
    picture in its list: `?list=owner` or the timeline of the query string. Pictures that the
    viewer may not see are left out."""
    image = reachable(request, pk)
    ids = _named(request) or window(_list(request, image), image, AROUND)
    shown = {image.pk: image, **selectors.visible_by_id(ids, request.user)}
    pictures = [
        {
            "path": reverse("image", args=[one]),
            "src": thumbnail(shown[one], _WIDTH),
            "name": shown[one].name_for(request.user),
        }
        for one in ids
        if one in shown
    ]
    return JsonResponse({"pictures": pictures, "around": AROUND})


@require_safe
def shuffled(request: HttpRequest, pk: UUID) -> JsonResponse:
    """Return paths of pictures of the list in a random order."""
    others = _list(request, reachable(request, pk)).exclude(pk=pk).order_by("?")
    ids = others.values_list("pk", flat=True)[:SHUFFLED]
    return JsonResponse({"paths": [reverse("image", args=[one]) for one in ids]})


def _list(request: HttpRequest, image: Image) -> ImageQuerySet:
    """Return the pictures of the list, without the archive."""
    if request.GET.get("list") == "owner":
        of_owner = selectors.visible_to(request.user).filter(owner_id=image.owner_id)
        return of_owner.filter(archived_at__isnull=True)
    return scopes.filtered(request).pictures


def _named(request: HttpRequest) -> list[UUID]:
    """Return the ids of the query string. Raises Refusal (bad_ids)."""
    texts = [text for text in request.GET.get("ids", "").split(",") if text]
    if len(texts) > MOST:
        raise Refusal("bad_ids", _("Name at most %(most)d pictures.") % {"most": MOST}, "ids")
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise Refusal("bad_ids", _("This is not the id of a picture."), "ids") from error
