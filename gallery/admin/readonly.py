from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from gallery.admin.base import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """Read-only pages for rows that are created and changed elsewhere, under rules that a form
    here would break."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        """The permission for actions that end something is the delete permission."""
        return request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")
