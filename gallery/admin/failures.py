"""Failed analyses of pictures: the reasons, and an action to retry."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from gallery.admin.base import ModelAdmin
from gallery.admin.reasons import translated
from gallery.indexing.titles import title_of
from gallery.models import Analysis, Image
from gallery.work import ledger


@admin.register(Analysis)
class FailureAdmin(ModelAdmin):
    """The failed rows of the ledger. The other rows only show as numbers elsewhere."""

    list_display = ("picture", "owner", "analyser_name", "why", "attempts")
    list_filter = ("analyser", "reason_code")
    list_select_related = ("image__owner",)
    search_fields = ("reason", "image__title", "image__original_name", "image__owner__username")
    ordering = ("-id",)
    actions = ("retry",)
    show_full_result_count = False
    fields = readonly_fields = ("picture", "owner", "analyser_name", "why", "attempts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Analysis]:
        failed = super().get_queryset(request).filter(state=Analysis.State.FAILED)
        # These failed only because an earlier step failed, which has its own row.
        return failed.exclude(reason_code="needs")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": gettext("Failed analyses of pictures"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Analysis | None = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("gallery.change_analysis")

    def has_delete_permission(self, request: HttpRequest, obj: Analysis | None = None) -> bool:
        # A picture without its row would never be searchable again.
        return False

    @display(description=_("picture"))
    def picture(self, analysis: Analysis) -> str:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:gallery_image_change", args=[analysis.image_id]),
            analysis.image.display_title,
        )

    @display(description=_("owner"), ordering="image__owner__username")
    def owner(self, analysis: Analysis) -> str:
        return analysis.image.owner.get_username()

    @display(description=_("analyser"), ordering="analyser")
    def analyser_name(self, analysis: Analysis) -> str:
        return str(title_of(analysis.analyser))

    @display(description=_("reason"), ordering="reason_code")
    def why(self, analysis: Analysis) -> str:
        return translated(analysis.reason)

    @action(description=_("Try again"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Analysis]) -> None:
        count = ledger.retry_failed(Image.objects.filter(pk__in=queryset.values("image")))
        text = ngettext(
            "%(count)d picture is tried again.", "%(count)d pictures are tried again.", count
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
