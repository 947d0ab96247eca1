"""The trail of security events, read-only."""

from __future__ import annotations

from django.contrib import admin

from gallery.admin.readonly import ReadOnlyAdmin
from gallery.models import SecurityEvent


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    list_display = (
        "at", "kind", "times", "account_name", "actor_name", "source", "address", "agent", "target",
    )  # fmt: skip
    list_filter = ("source", "at")
    search_fields = ("kind", "account_name", "actor_name", "address", "target")
    fields = (*list_display, "last_at", "details")
