"""The dialog that shows and changes who sees an album or a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.models import Album, AlbumRole, AlbumShare, Group, Image, User
from gallery.models.share import ShareLinkQuerySet
from gallery.organising import album_summaries
from gallery.sharing import contributions, links, people, shares
from gallery.web import toasts
from gallery.web.access import is_fragment, next_address, signed_in
from gallery.web.sharing.link_cards import cards_of
from gallery.web.sharing.link_forms import LinkForm
from gallery.web.sharing.selection_dialog import choices_of

# The browser suggests these while the user types. More would be slow.
_MOST_SUGGESTIONS = 200


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def album_sharing(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The sharing dialog: people and links for those who manage the album, and leaving it for
    others who see it."""
    album = get_object_or_404(Album.objects.visible_to(request.user), pk=pk)
    if Album.objects.managed_by(request.user).filter(pk=pk).exists():
        return _album_panel(request, album)
    return _show(request, "leave", {"album": album, "mine": _own_in(album, request)})


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def image_sharing(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _image_panel(request, _own_image(request, pk))


# --- People of an album -----------------------------------------------------------


@require_POST
@signed_in
def share_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    album = _managed(request, pk)
    name, group = request.POST.get("user", ""), request.POST.get("group", "")
    role = request.POST.get("role", "")

    def add() -> dict[str, Any]:
        if group:
            share, _new = shares.share_with_group(album, _group_id(group), role, _user(request))
        else:
            share, _new = shares.share_with_person(album, name, role, _user(request))
        return {"notice": _("Shared with %(name)s.") % {"name": share.shown_name}}

    return _after(request, album, add, typed={"user": name, "group": group, "role": role})


@require_POST
@signed_in
def share_change(request: HttpRequest, pk: UUID, share_id: UUID) -> HttpResponse:
    album = _managed(request, pk)
    share = get_object_or_404(shares.shares_of(album), pk=share_id)

    def change() -> dict[str, Any]:
        shares.change_role(share, request.POST.get("role", ""))
        return {"notice": _("Changed for %(name)s.") % {"name": share.shown_name}}

    return _after(request, album, change)


@require_POST
@signed_in
def share_remove(request: HttpRequest, pk: UUID, share_id: UUID) -> HttpResponse:
    album = _managed(request, pk)
    share = get_object_or_404(shares.shares_of(album), pk=share_id)

    def remove() -> dict[str, Any]:
        shares.remove(share)
        return {"notice": _removed(album, share), "undo": share}

    return _after(request, album, remove)


@require_POST
@signed_in
def leave(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leave the album. With `withdraw`, also take the user's own pictures out of it."""
    others = Album.objects.visible_to(request.user).exclude(owner_id=_user(request).pk)
    album = get_object_or_404(others, pk=pk)
    name = album_summaries.name_of(album, _user(request))
    if request.POST.get("withdraw"):
        contributions.withdraw(album, _user(request))
    groups = shares.leave(album, _user(request))
    if groups:
        told = _("You still see “%(album)s” through a group that you are in: %(groups)s.")
        toasts.say(request, told % {"album": name, "groups": ", ".join(groups)})
        return redirect("groups")
    toasts.say(request, _("You have left “%(album)s”.") % {"album": name})
    return redirect("contributions")


# --- The user's pictures in albums of others -----------------------------------------


@require_safe
@signed_in
def contributed(request: HttpRequest) -> HttpResponse:
    """The albums of others with the user's pictures. Those that the user no longer sees come
    first."""
    found = contributions.contributions_of(_user(request)).order_by(*contributions.GONE_FIRST)
    return render(request, "sharing/contributions.html", {"albums": found})


@require_POST
@signed_in
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    album = get_object_or_404(Album, pk=pk)
    count = contributions.withdraw(album, _user(request))
    if not count:
        get_object_or_404(Album.objects.visible_to(request.user), pk=pk)
    told = ngettext(
        "%(count)d picture of yours taken out of “%(album)s”.",
        "%(count)d pictures of yours taken out of “%(album)s”.",
        count,
    )
    name = album_summaries.name_of(album, _user(request))
    toasts.say(request, told % {"count": count, "album": name})
    return redirect(next_address(request, "contributions"))


# --- People of a picture ------------------------------------------------------------


@require_POST
@signed_in
def image_unshare(request: HttpRequest, pk: UUID, share_id: UUID) -> HttpResponse:
    """Stop sharing one picture. Others that were shared together with it have a dialog of their
    own: nobody loses them by this."""
    image = _own_image(request, pk)
    alone = Album.objects.annotate(pictures=Count("items")).filter(pictures=1)
    found = shares.shares_of_image(image).filter(album__in=alone.order_by().values("pk"))
    share = get_object_or_404(found, pk=share_id)

    def remove() -> dict[str, Any]:
        shares.remove(share)
        return {"notice": _("%(name)s no longer sees this picture.") % {"name": share.shown_name}}

    return _after(request, image, remove)


# --- Links --------------------------------------------------------------------------


@require_POST
@signed_in
def album_link_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _add_link(request, _managed(request, pk))


@require_POST
@signed_in
def image_link_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _add_link(request, _own_image(request, pk))


def _add_link(request: HttpRequest, target: Album | Image) -> HttpResponse:
    form = LinkForm(request.POST)
    chosen: dict[str, Any] = {"album" if isinstance(target, Album) else "image": target}
    if form.is_valid():
        try:
            link = links.create_link(by=_user(request), **chosen, **form.values())
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            return _after(request, target, lambda: {"new_link": link.pk})
    return _panel(request, target, form=form, status=400)


def add_refusal(form: LinkForm, refusal: Refusal) -> None:
    """Show a refusal next to the invalid field."""
    field = {"expires_at": "expires_on"}.get(refusal.field or "", refusal.field)
    form.add_error(field, str(refusal.message))


# --- The panel ----------------------------------------------------------------------


def _after(
    request: HttpRequest,
    target: Album | Image,
    act: Callable[[], dict[str, Any]],
    **kept: Any,
) -> HttpResponse:
    """Run `act` and show the panel with its result, or with the problem and `kept`."""
    try:
        shown = act()
    except Refusal as refusal:
        return _panel(request, target, status=refusal.status, problem=refusal, **kept)
    if is_fragment(request):
        return _panel(request, target, **shown)
    if "notice" in shown:
        toasts.say(request, shown["notice"])
    return redirect("album_sharing" if isinstance(target, Album) else "image_sharing", target.pk)


def _panel(
    request: HttpRequest, target: Album | Image, status: int = 200, **extra: Any
) -> HttpResponse:
    if isinstance(target, Album):
        return _album_panel(request, target, status, **extra)
    return _image_panel(request, target, status, **extra)


def _album_panel(
    request: HttpRequest, album: Album, status: int = 200, **extra: Any
) -> HttpResponse:
    known = people.suggestions(_user(request))
    context = {
        "album": album,
        "shares": list(shares.shares_of(album)),
        "links": cards_of(request, _kept_links(request).filter(album=album)),
        "roles": AlbumRole.choices,
        "suggestions": known[:_MOST_SUGGESTIONS],
        "groups": Group.objects.visible_to(request.user),
        "form": LinkForm(),
        **extra,
    }
    return _show(request, "album", context, status)


def _image_panel(
    request: HttpRequest, image: Image, status: int = 200, **extra: Any
) -> HttpResponse:
    given = list(shares.shares_of_image(image))
    summed = album_summaries.with_summary_fields(
        Album.objects.filter(pk__in={share.album_id for share in given}), request.user
    )
    sets = {card.album.pk: card for card in album_summaries.summarise(list(summed), request.user)}
    context = {
        "image": image,
        "title": image.title or image.original_name,
        "given": [(share, sets[share.album_id]) for share in given],
        **choices_of(_user(request)),
        "links": cards_of(request, _kept_links(request).filter(image=image)),
        "form": LinkForm(),
        **extra,
    }
    return _show(request, "image", context, status)


def _show(
    request: HttpRequest, panel: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    template = "sharing/panel.html" if is_fragment(request) else "sharing/page.html"
    context = {**context, "panel": f"sharing/{panel}_panel.html"}
    return render(request, template, context, status=status)


def _kept_links(request: HttpRequest) -> ShareLinkQuerySet:
    """Return the links without revoked ones, which only the list of all links shows."""
    return links.links_of(_user(request)).filter(revoked_at__isnull=True)


def _managed(request: HttpRequest, pk: UUID) -> Album:
    return get_object_or_404(Album.objects.managed_by(request.user), pk=pk)


def _own_image(request: HttpRequest, pk: UUID) -> Image:
    return get_object_or_404(Image.objects.owned_by(request.user), pk=pk)


def _own_in(album: Album, request: HttpRequest) -> int:
    return contributions.count_in(album, _user(request))


def _user(request: HttpRequest) -> User:
    """Return the signed-in user. The decorator `signed_in` has checked this."""
    return request.user  # type: ignore[return-value]


def _group_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Refusal("unknown_group", _("Choose one of your groups."), "group") from error


def _removed(album: Album, share: AlbumShare) -> str:
    """Return the notice after a share was removed, with the number of pictures that stay."""
    told = (
        _("%(name)s no longer sees these pictures.")
        if album.for_sharing
        else _("%(name)s no longer sees this album.")
    ) % {"name": share.shown_name}
    count = contributions.count_in(album, share.user) if share.user else 0
    if not count:
        return told
    stays = ngettext(
        "%(count)d picture of theirs stays in it until you or they take it out.",
        "%(count)d pictures of theirs stay in it until you or they take them out.",
        count,
    )
    return f"{told} {stays % {'count': count}}"
