"""The pages of all accounts for administrators: role, quota, active or not."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.accounts import confirmation, roles
from gallery.errors import Refusal
from gallery.library import quota
from gallery.web import toasts
from gallery.web.access import is_fragment
from gallery.web.accounts.user_form import UserForm
from gallery.web.restricted import only_for

PAGE = 50
_NEWEST = keyset.Order("date_joined", read_key=int)


@require_safe
@vary_on_headers("HX-Request")
@only_for(roles.is_administrator)
def user_list(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")
    kept = Count("images", filter=Q(images__deleted_at__isnull=True))
    accounts = roles.search_accounts(text).annotate(kept=kept)
    found, after = keyset.page(accounts, request.GET.get("after"), PAGE, order=_NEWEST)
    more = f"{reverse('users')}?{urlencode({'q': text, 'after': after})}" if after else None
    context = {"accounts": found, "more": more, "text": text}
    template = "account/user_rows.html" if is_fragment(request) else "account/users.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@only_for(roles.is_administrator)
def user(request: HttpRequest, username: str) -> HttpResponse:
    account = roles.find_account(username)
    if account is None:
        raise Http404
    form = UserForm(request.POST or None, account=account)
    if form.is_valid():
        if roles.opens_or_closes(account, form.changes()):
            confirmation.require_recent(request)
        try:
            roles.change_account(account, form.changes())
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            toasts.say(request, _("%(name)s is changed.") % {"name": username})
            return redirect("users")
    context = {"account": account, "form": form, "usage": quota.usage(account)}
    return render(request, "account/user.html", context)
