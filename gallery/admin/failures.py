"""Pictures that could not be encoded: why, and trying again."""

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
from gallery.indexing import ledger
from gallery.models import Embedding, Image


@admin.register(Embedding)
class FailureAdmin(ModelAdmin):
    """The ledger's failed rows alone: the others are counted with their space."""

    list_display = ("picture", "owner", "space_name", "reason", "attempts")
    list_filter = ("space",)
    list_select_related = ("image__owner", "space")
    search_fields = ("error", "image__title", "image__original_name", "image__owner__username")
    ordering = ("-id",)
    actions = ("retry",)
    show_full_result_count = False
    fields = readonly_fields = ("picture", "owner", "space_name", "reason", "attempts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Embedding]:
        failed = super().get_queryset(request).filter(state=Embedding.State.FAILED)
        return failed.defer("vector")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": gettext("Pictures that could not be encoded"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Embedding | None = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("gallery.change_embedding")

    def has_delete_permission(self, request: HttpRequest, obj: Embedding | None = None) -> bool:
        # A picture without its row would never be searchable again.
        return False

    @display(description=_("picture"))
    def picture(self, embedding: Embedding) -> str:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:gallery_image_change", args=[embedding.image_id]),
            embedding.image.display_title,
        )

    @display(description=_("owner"), ordering="image__owner__username")
    def owner(self, embedding: Embedding) -> str:
        return embedding.image.owner.get_username()

    @display(description=_("embedding space"), ordering="space")
    def space_name(self, embedding: Embedding) -> str:
        return embedding.space.name

    @display(description=_("reason"))
    def reason(self, embedding: Embedding) -> str:
        return translated(embedding.error)

    @action(description=_("Try again"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Embedding]) -> None:
        count = ledger.retry_failed(Image.objects.filter(pk__in=queryset.values("image")))
        text = ngettext(
            "%(count)d picture is tried again.", "%(count)d pictures are tried again.", count
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
