"""The dialog that shares selected pictures. static/js/select/share.js sends it to the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gallery.models import Group
from gallery.sharing import people
from gallery.web.access import member, signed_in

# People who can be ticked. The field suggests more while the user types.
_TICKED = 12
_MOST_SUGGESTIONS = 200


@require_safe
@signed_in
def choices(request: HttpRequest) -> HttpResponse:
    """The people and groups that the user may tick."""
    known = list(people.suggestions(member(request))[:_MOST_SUGGESTIONS])
    context = {
        "people": known[:_TICKED],
        "others": known[_TICKED:],
        "groups": Group.objects.visible_to(request.user),
    }
    return render(request, "sharing/selection_choices.html", context)
