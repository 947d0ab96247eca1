"""Label sets and their jobs. The names and categories of personal sets are not shown."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from gallery.admin.readonly import ReadOnlyAdmin
from gallery.models import LabelJob, LabelSet


@admin.register(LabelSet)
class LabelSetAdmin(ReadOnlyAdmin):
    list_display = ("id", "owner", "name_of_site", "number", "mode", "is_applied", "created_at")
    list_filter = (("owner", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("owner", "version")
    search_fields = ("owner__username",)
    list_display_links = None

    @display(description=_("set of the site"))
    def name_of_site(self, label_set: LabelSet) -> str:
        return label_set.name if label_set.is_of_site else ""

    @display(description=_("version"))
    def number(self, label_set: LabelSet) -> int | None:
        return label_set.version.number if label_set.version else None

    @display(description=_("mode"))
    def mode(self, label_set: LabelSet) -> str:
        return label_set.version.get_mode_display() if label_set.version else ""

    @display(description=_("applied"), boolean=True)
    def is_applied(self, label_set: LabelSet) -> bool:
        return label_set.applied_id is not None


@admin.register(LabelJob)
class LabelJobAdmin(ReadOnlyAdmin):
    list_display = (
        *("id", "requested_by", "kind", "state", "done", "total", "added", "removed"),
        *("error", "created_at", "finished_at"),
    )
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("requested_by",)
    search_fields = ("requested_by__username",)
    list_display_links = None
