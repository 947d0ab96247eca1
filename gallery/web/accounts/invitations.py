"""The page to invite people to register."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.accounts import invitation_mail, invitations, registration, roles
from gallery.errors import Refusal
from gallery.models import Invitation
from gallery.web import toasts
from gallery.web.access import is_fragment, member
from gallery.web.forms import InvitationForm
from gallery.web.restricted import only_for

PAGE = 40


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@only_for(roles.is_moderator)
def invitation_list(request: HttpRequest) -> HttpResponse:
    user = member(request)
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        try:
            invitation = invitations.invite(user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            sent = invitation_mail.send(invitation, _address(request, invitation))
            toasts.say(
                request,
                _("The invitation is on its way to %(email)s.") % {"email": invitation.email}
                if sent
                else _("The invitation is ready. Copy its link and pass it on."),
            )
            return redirect("invitations")
    found, after = keyset.page(invitations.given_by(user), request.GET.get("after"), PAGE)
    rows = [
        {
            "invitation": invitation,
            "state": invitations.state_of(invitation),
            "address": _address(request, invitation),
        }
        for invitation in found
    ]
    more = f"{reverse('invitations')}?{urlencode({'after': after})}" if after else None
    context = {"rows": rows, "more": more, "form": form}
    if is_fragment(request):
        return render(request, "account/invitation_rows.html", context)
    return render(request, "account/invitations.html", {**context, "open": registration.is_open()})


@require_POST
@only_for(roles.is_moderator)
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    invitations.revoke(get_object_or_404(invitations.given_by(member(request)), pk=pk))
    toasts.say(request, _("The invitation no longer works."))
    return redirect("invitations")


def _address(request: HttpRequest, invitation: Invitation) -> str:
    path = f"{reverse('account_signup')}?{urlencode({'invitation': invitation.code})}"
    return request.build_absolute_uri(path)
