"""Invitations to register, and links that show content to strangers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from gallery.accounts import invitations
from gallery.admin.readonly import ReadOnlyAdmin
from gallery.models import Invitation, ShareLink
from gallery.sharing import links

STATE_COLOURS = {"open": "success", "used": "info", "revoked": "danger", "expired": "warning"}
STATE_NAMES = {
    "open": _("Open"),
    "used": _("Used"),
    "revoked": _("Revoked"),
    "expired": _("Expired"),
}


class LiveFilter(SimpleListFilter):
    title = _("works")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Still works")), ("no", _("No longer works"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        live = self.used_parameters.get(self.parameter_name)
        if live is None:
            return queryset
        alive = queryset.model.objects.live().values("pk")
        return queryset.filter(pk__in=alive) if live == "yes" else queryset.exclude(pk__in=alive)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """The invitations. Users create them on the site's page of invitations, where their
    addresses can be copied."""

    list_display = ("__str__", "state", "created_by", "created_at", "expires_at", "used_by")
    list_filter = (LiveFilter, "created_at")
    list_select_related = ("created_by", "used_by")
    search_fields = ("email", "created_by__username", "used_by__username")
    fields = ("email", "created_by", "created_at", "expires_at", "used_by", "used_at", "revoked_at")
    actions = ("revoke",)

    @display(description=_("state"), label=STATE_COLOURS)
    def state(self, invitation: Invitation) -> tuple[str, str]:
        state = invitations.state_of(invitation)
        return state, str(STATE_NAMES[state])

    @action(description=_("Revoke"), permissions=["end"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        for invitation in queryset:
            invitations.revoke(invitation)
        count = len(queryset)
        text = ngettext(
            "%(count)d invitation no longer works.", "%(count)d invitations no longer work.", count
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    """The links and what they show. The address of a link opens it, so only its creator knows
    it, and it is not shown here."""

    list_display = (
        "__str__",
        "kind",
        "created_by",
        "use_count",
        "allow_download",
        "created_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = (LiveFilter, "allow_download", "created_at")
    list_select_related = ("created_by", "album", "image")
    search_fields = ("name", "created_by__username", "album__title", "image__title")
    fields = (
        "name", "kind", "created_by", "has_password", "allow_download", "max_uses",
        "use_count", "last_used_at", "created_at", "expires_at", "revoked_at",
    )  # fmt: skip
    readonly_fields = ("kind", "has_password")
    actions = ("revoke",)

    @display(description=_("shows"))
    def kind(self, link: ShareLink) -> str:
        return str(_("an album") if link.album_id else _("a picture"))

    @display(description=_("asks for a password"), boolean=True)
    def has_password(self, link: ShareLink) -> bool:
        return bool(link.password)

    @action(description=_("Revoke"), permissions=["end"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ShareLink]) -> None:
        for link in queryset:
            links.revoke_link(link)
        count = len(queryset)
        text = ngettext("%(count)d link no longer works.", "%(count)d links no longer work.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
