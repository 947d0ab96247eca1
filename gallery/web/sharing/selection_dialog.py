"""The form that shares selected pictures, or the one of the viewer, with people and groups.
static/js/sharing/people.js sends it to the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gallery.models import Group, User
from gallery.sharing import people
from gallery.web.access import member, signed_in

# People who can be ticked. The field suggests more while the user types.
_TICKED = 12
_MOST_SUGGESTIONS = 200


@require_safe
@signed_in
def choices(request: HttpRequest) -> HttpResponse:
    return render(request, "sharing/selection_choices.html", choices_of(member(request)))


def choices_of(user: User) -> dict[str, Any]:
    """Return the people and groups that `user` may tick."""
    known = list(people.suggestions(user)[:_MOST_SUGGESTIONS])
    return {
        "people": known[:_TICKED],
        "others": known[_TICKED:],
        "groups": Group.objects.visible_to(user),
    }
