"""The account pages: profile, sessions, API tokens, data. The pages for passwords, email
addresses and the second factor are allauth's, with the same base template."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery.accounts import confirmation, credentials, deletion, profile, sessions, tokens
from gallery.accounts.export import export_response
from gallery.errors import Refusal
from gallery.library import quota
from gallery.models import User
from gallery.web import toasts
from gallery.web.access import confirmed, member, signed_in
from gallery.web.forms import DeleteAccountForm, ProfileForm, TokenForm, TokenReviewForm


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """The profile and the storage use."""
    user = member(request)
    form = ProfileForm(request.POST or None, instance=user)
    if form.is_valid():
        try:
            profile.update(user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            toasts.say(request, _("Saved."))
            return redirect("account_home")
    return render(
        request, "account/home.html", {"form": form, "usage": quota.usage(user), "tab": "home"}
    )


# --- Sessions -----------------------------------------------------------------------


@require_safe
@signed_in
def session_list(request: HttpRequest) -> HttpResponse:
    here = request.session.session_key
    rows = [
        {
            "session": session,
            "browser": sessions.describe(session.user_agent),
            "is_here": session.session_key == here,
        }
        for session in sessions.sessions_of(member(request))
    ]
    return render(request, "usersessions/list.html", {"rows": rows, "tab": "sessions"})


@require_POST
@signed_in
@confirmed
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    if not sessions.end(member(request), pk):
        raise Http404
    toasts.say(request, _("That device is signed out."))
    return redirect("account_sessions")


@require_POST
@signed_in
@confirmed
def session_end_others(request: HttpRequest) -> HttpResponse:
    ended = sessions.end_all(member(request), besides=request.session.session_key)
    text = ngettext("%(count)d device is signed out.", "%(count)d devices are signed out.", ended)
    toasts.say(request, text % {"count": ended})
    return redirect("account_sessions")


# --- API tokens ---------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
@confirmed
def token_list(request: HttpRequest) -> HttpResponse:
    """The list of tokens, and the form of a new one. Only the response to the form shows the new
    token's secret."""
    user = member(request)
    form = TokenForm(request.POST or None)
    secret = None
    if form.is_valid():
        asked = form.cleaned_data
        try:
            _described, secret = tokens.issue(user, asked["name"], asked["scope"], asked["days"])
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            form = TokenForm()
    context = {"rows": _token_rows(user), "form": form, "secret": secret, "tab": "tokens"}
    return render(
        request, "account/tokens.html", {**context, "sign_ins": tokens.sign_ins_of(user).count()}
    )


def _token_rows(user: User) -> list[dict[str, Any]]:
    return [
        {"token": described, "has_expired": tokens.has_expired(described)}
        for described in tokens.tokens_of(user)
    ]


@require_POST
@signed_in
@confirmed
def token_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    if not tokens.revoke(member(request), pk):
        raise Http404
    toasts.say(request, _("The token no longer works."))
    return redirect("account_tokens")


@require_POST
@signed_in
@confirmed
def token_end_sign_ins(request: HttpRequest) -> HttpResponse:
    tokens.sign_ins_of(member(request)).delete()
    toasts.say(request, _("Those programs are signed out."))
    return redirect("account_tokens")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
@confirmed
def token_review(request: HttpRequest) -> HttpResponse:
    """Ask which tokens may stay after the password or the second factor has changed."""
    user = member(request)
    named = tokens.tokens_of(user)
    form = TokenReviewForm(request.POST if request.method == "POST" else None, named=named)
    if form.is_valid():
        ended = tokens.revoke_some(user, form.chosen())
        credentials.reviewed(request)
        text = ngettext("%(count)d token is revoked.", "%(count)d tokens are revoked.", ended)
        toasts.say(request, text % {"count": ended} if ended else _("Your tokens go on working."))
        return redirect("account_tokens")
    rows = _token_rows(user)
    if not rows:  # all of them were revoked in another window
        credentials.reviewed(request)
        return redirect("account_tokens")
    return render(request, "account/token_review.html", {"rows": rows, "tab": "tokens"})


# --- Data ---------------------------------------------------------------------------


@require_safe
@signed_in
def data(request: HttpRequest) -> HttpResponse:
    """The page to export the data or to delete the account."""
    user = member(request)
    context = {"usage": quota.usage(user), "is_confirmed": confirmation.is_recent(request)}
    return render(request, "account/data.html", {**context, "tab": "data"})


@require_safe
@signed_in
def export(request: HttpRequest) -> HttpResponseBase:
    """Download the export. Without a recent confirmation, redirect to the data page, which asks
    for one before the download: a download has no page that could ask."""
    if not confirmation.is_recent(request):
        return redirect("account_data")
    return export_response(member(request))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the account. The form needs the username, and the password unless it was confirmed
    recently."""
    user = member(request)
    is_confirmed = confirmation.is_recent(request)
    form = DeleteAccountForm(request.POST or None)
    if form.is_valid():
        try:
            if form.cleaned_data["username"] != user.get_username():
                raise Refusal("wrong_name", _("Type your username exactly."), "username")
            if not is_confirmed:
                confirmation.confirm_password(user, form.cleaned_data["password"])
            deletion.request_deletion(user)
        except Refusal as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            logout(request)
            return redirect("account_deleted")
    context = {"form": form, "is_confirmed": is_confirmed, "losses": deletion.losses_of(user)}
    return render(request, "account/delete.html", {**context, "tab": "data"})


@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "account/deleted.html")
