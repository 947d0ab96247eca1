"""Uploads and imports: their progress and errors."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from gallery.admin.readonly import ReadOnlyAdmin
from gallery.models import ImportBatch, ImportItem, ResumableUpload

IMPORT_COLOURS = {
    "pending": "info",
    "running": "info",
    "done": "success",
    "failed": "danger",
    "cancelled": "warning",
}
UPLOAD_COLOURS = {"receiving": "info", "accepted": "success", "refused": "danger"}


@admin.register(ImportBatch)
class ImportAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "owner",
        "kind",
        "state_label",
        "item_count",
        "failed_count",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "error")
    fields = (
        "name", "owner", "kind", "state_label", "error", "item_count", "failed_count",
        "created_at", "finished_at",
    )  # fmt: skip
    readonly_fields = ("state_label", "item_count", "failed_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        batches: QuerySet[ImportBatch] = super().get_queryset(request)
        failed = Q(items__state=ImportItem.State.FAILED)
        return batches.annotate(
            item_count=Count("items"), failed_count=Count("items", filter=failed)
        )

    @display(description=_("state"), label=IMPORT_COLOURS, ordering="state")
    def state_label(self, batch: ImportBatch) -> tuple[str, str]:
        return batch.state, batch.get_state_display()

    @display(description=_("files"), ordering="item_count")
    def item_count(self, batch: ImportBatch) -> int:
        return batch.item_count  # type: ignore[attr-defined]  # annotated above

    @display(description=_("failed"), ordering="failed_count")
    def failed_count(self, batch: ImportBatch) -> int:
        return batch.failed_count  # type: ignore[attr-defined]  # annotated above


@admin.register(ResumableUpload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner", "state_label", "arrived", "size", "updated_at", "expires_at")
    list_filter = ("state", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "error")
    fields = (
        "name", "owner", "state_label", "arrived", "size", "error", "created_at", "updated_at",
        "expires_at",
    )  # fmt: skip
    readonly_fields = ("state_label", "arrived", "size")

    @display(description=_("state"), label=UPLOAD_COLOURS, ordering="state")
    def state_label(self, upload: ResumableUpload) -> tuple[str, str]:
        return upload.state, upload.get_state_display()

    @display(description=_("arrived"), ordering="offset")
    def arrived(self, upload: ResumableUpload) -> str:
        return filesizeformat(upload.offset)

    @display(description=_("size"), ordering="length")
    def size(self, upload: ResumableUpload) -> str:
        return filesizeformat(upload.length)
