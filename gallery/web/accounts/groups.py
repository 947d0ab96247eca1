"""The pages of groups: the list, and one group."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from gallery.errors import Refusal
from gallery.models import Album, Group, User
from gallery.sharing import groups, people
from gallery.web import toasts
from gallery.web.access import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def all_groups(request: HttpRequest) -> HttpResponse:
    """The list of groups. A POST creates one."""
    problem, name = None, request.POST.get("name", "")
    if request.method == "POST":
        try:
            return redirect("group", groups.create_group(_user(request), name).pk)
        except Refusal as refusal:
            problem = refusal
    context = {"groups": groups.groups_of(_user(request)), "problem": problem, "name": name}
    return render(request, "sharing/groups.html", context, status=400 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def group(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """The page of a group. A POST by its owner renames it."""
    found = _visible(request, group_id)
    if request.method != "POST":
        return _page(request, found)
    own = _own(request, group_id)
    try:
        groups.rename_group(own, request.POST.get("name", ""))
    except Refusal as refusal:
        return _page(request, found, refusal)
    toasts.say(request, _("Renamed."))
    return redirect("group", group_id)


@require_POST
@signed_in
def add_member(request: HttpRequest, group_id: UUID) -> HttpResponse:
    own = _own(request, group_id)
    try:
        person = groups.add_member(own, request.POST.get("user", ""))
    except Refusal as refusal:
        return _page(request, own, refusal)
    told = _("%(name)s is in the group and sees what is shared with it.")
    toasts.say(request, told % {"name": person.shown_name})
    return redirect("group", group_id)


@require_POST
@signed_in
def remove_member(request: HttpRequest, group_id: UUID, username: str) -> HttpResponse:
    own = _own(request, group_id)
    member = get_object_or_404(own.members, username=User.normalize_username(username))
    groups.remove_member(own, member)
    toasts.say(request, _("%(name)s is out of the group.") % {"name": member.shown_name})
    return redirect("group", group_id)


@require_POST
@signed_in
def leave(request: HttpRequest, group_id: UUID) -> HttpResponse:
    found = get_object_or_404(Group.objects.filter(members=_user(request)), pk=group_id)
    groups.remove_member(found, _user(request))
    toasts.say(request, _("You have left “%(group)s”.") % {"group": found.name})
    return redirect("groups")


@require_POST
@signed_in
def delete(request: HttpRequest, group_id: UUID) -> HttpResponse:
    own = _own(request, group_id)
    groups.delete_group(own)
    toasts.say(request, _("The group “%(group)s” is deleted.") % {"group": own.name})
    return redirect("groups")


def _page(request: HttpRequest, group: Group, problem: Refusal | None = None) -> HttpResponse:
    context = {
        "group": group,
        "members": group.members.order_by("username"),
        "is_owner": group.owner_id == request.user.pk,
        # The owner is not always a member, and then does not see the group's albums.
        "albums": Album.objects.visible_to(request.user).filter(shares__group=group),
        "suggestions": people.suggestions(_user(request)),
        "problem": problem,
        "typed": request.POST.get("user", ""),
    }
    return render(request, "sharing/group.html", context, status=400 if problem else 200)


def _visible(request: HttpRequest, pk: UUID) -> Group:
    return get_object_or_404(Group.objects.visible_to(request.user).select_related("owner"), pk=pk)


def _own(request: HttpRequest, pk: UUID) -> Group:
    return get_object_or_404(Group.objects.owned_by(request.user), pk=pk)


def _user(request: HttpRequest) -> User:
    """Return the signed-in user. The decorator `signed_in` has checked this."""
    return request.user  # type: ignore[return-value]
