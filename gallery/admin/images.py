"""Pictures: their states, and actions to repeat work on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from gallery.admin.base import ModelAdmin
from gallery.admin.reasons import translated
from gallery.indexing import encoding, states
from gallery.library import rendering, renditions, service
from gallery.library.delivery import thumbnail_response
from gallery.models import Analysis, Image
from gallery.work import ledger

LIST_WIDTH = 320
PAGE_WIDTH = 1280
STATE_COLOURS = {"pending": "info", "ready": "success", "failed": "danger"}
STATE_NAMES = {"pending": _("Pending"), "ready": _("Ready"), "failed": _("Failed")}


class IndexStateFilter(SimpleListFilter):
    title = _("search index")
    parameter_name = "index"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATE_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        state = self.value()
        return queryset.filter(Q(index_state=state)) if state else queryset


class TrashFilter(SimpleListFilter):
    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Not in the trash")), ("yes", _("In the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        if self.value() is None:
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() == "no")


@admin.register(Image)
class ImageAdmin(ModelAdmin):
    """Pictures. They are added through the site or the API and only maintained here. GPS
    positions are private to the owner and not shown."""

    list_display = (
        "preview",
        "display_title",
        "owner",
        "visibility",
        "index_label",
        "render_label",
        "dimensions",
        "file_size",
        "created_at",
    )
    list_display_links = ("preview", "display_title")
    list_filter = (
        IndexStateFilter,
        "visibility",
        TrashFilter,
        "content_type",
        "created_at",
    )
    list_filter_submit = False
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("title", "description", "original_name", "sha256", "owner__username")
    search_help_text = _("Search titles, descriptions, file names, checksums and owners.")
    actions = ("reencode", "retry_failed", "render_again", "move_to_trash", "restore")
    show_full_result_count = False

    fields = (
        "large_preview",
        "title",
        "description",
        "visibility",
        "owner",
        "index_name",
        "index_reason",
        "render_name",
        "render_reason",
        "original_name",
        "content_type",
        "dimensions",
        "incomplete",
        "file_size",
        "checksum",
        "taken",
        "camera",
        "created_at",
        "deleted_at",
    )
    readonly_fields = tuple(
        name for name in fields if name not in ("title", "description", "visibility")
    )

    # --- Reading ----------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        drawn = Analysis.objects.filter(image=OuterRef("pk"), analyser=renditions.ANALYSER)
        images = states.with_state(super().get_queryset(request))
        return images.annotate(thumbnails=Subquery(drawn.values("state")[:1]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.thumbnail_view)
        name = "gallery_image_thumbnail"
        return [path("<uuid:pk>/thumbnail/<int:width>/", view, name=name), *super().get_urls()]

    def thumbnail_view(self, request: HttpRequest, pk: UUID, width: int) -> HttpResponseBase:
        """Any picture, for users with the view permission."""
        image = get_object_or_404(Image, pk=pk)
        if not self.has_view_permission(request, image):
            raise PermissionDenied
        return thumbnail_response(image, LIST_WIDTH if width <= LIST_WIDTH else PAGE_WIDTH)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    # --- Columns ----------------------------------------------------------------

    @display(description=_("picture"))
    def preview(self, image: Image) -> str:
        return self._picture(image, LIST_WIDTH, "height:48px;width:72px;object-fit:cover")

    @display(description=_("picture"))
    def large_preview(self, image: Image) -> str:
        return self._picture(image, PAGE_WIDTH, "max-height:420px;max-width:100%")

    @staticmethod
    def _picture(image: Image, width: int, style: str) -> str:
        return format_html(
            '<img src="{}" alt="{}" loading="lazy" style="border-radius:4px;{}">',
            reverse("admin:gallery_image_thumbnail", args=[image.pk, width]),
            image.title or image.original_name or _("Picture"),
            style,
        )

    @display(description=_("title"), ordering="title")
    def display_title(self, image: Image) -> str:
        return image.display_title

    @display(description=_("taken"), empty_value="–")
    def taken(self, image: Image) -> datetime | None:
        """In the local time of the place where the picture was taken."""
        return image.captured_clock

    @display(description=_("search index"), label=STATE_COLOURS, ordering="index_state")
    def index_label(self, image: Image) -> tuple[str, str]:
        return image.index_state, self.index_name(image)

    @display(description=_("search index"))
    def index_name(self, image: Image) -> str:
        return str(STATE_NAMES[image.index_state])

    @display(description=_("reason"), empty_value="–")
    def index_reason(self, image: Image) -> str:
        return translated(image.index_error)

    @display(description=_("thumbnails"), label=STATE_COLOURS, ordering="thumbnails")
    def render_label(self, image: Image) -> tuple[str, str]:
        return self._render_state(image), self.render_name(image)

    @display(description=_("thumbnails"))
    def render_name(self, image: Image) -> str:
        return str(STATE_NAMES[self._render_state(image)])

    def _render_state(self, image: Image) -> str:
        told = {"done": "ready", "failed": "failed"}
        return told.get(image.thumbnails or "", "pending")  # type: ignore[attr-defined]

    @display(description=_("reason"), empty_value="–")
    def render_reason(self, image: Image) -> str:
        row = image.analyses.filter(analyser=renditions.ANALYSER).first()
        return translated(row.reason) if row else ""

    @display(description=_("width × height"), ordering="width")
    def dimensions(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @display(description=_("checksum (SHA-256)"))
    def checksum(self, image: Image) -> str:
        return image.sha256

    @display(description=_("size"), ordering="byte_size")
    def file_size(self, image: Image) -> str:
        return filesizeformat(image.byte_size)

    # --- Changes ----------------------------------------------------------------

    def save_model(
        self, request: HttpRequest, obj: Image, form: ModelForm[Image], change: bool
    ) -> None:
        service.update_image(
            obj, title=obj.title, description=obj.description, visibility=obj.visibility
        )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """List only the pictures: a list of dependent rows would load all vectors."""
        titles = [f"{image.display_title} ({image.pk})" for image in objs]
        return titles, {str(self.opts.verbose_name_plural): len(titles)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        """Delete the picture for good, with its files: the user has confirmed it."""
        service.purge_image(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        for image in queryset:
            service.purge_image(image)

    @action(description=_("Encode again"), permissions=["change"])
    def reencode(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        ledger.requeue(ids, encoding.analysers())
        self._tell(request, len(ids))

    @action(description=_("Try again what failed"), permissions=["change"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        self._tell(request, ledger.retry_failed(queryset))

    def _tell(self, request: HttpRequest, count: int) -> None:
        if not count:
            self.message_user(request, gettext("Nothing had to be done."), messages.INFO)
            return
        text = ngettext(
            "%(count)d picture waits to be encoded.",
            "%(count)d pictures wait to be encoded.",
            count,
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @action(description=_("Make thumbnails again"), permissions=["change"])
    def render_again(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        ledger.requeue(ids, rendering.analysers())
        count = len(ids)
        text = ngettext(
            "The thumbnails of %(count)d picture are made again.",
            "The thumbnails of %(count)d pictures are made again.",
            count,
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @action(description=_("Move to the trash"), permissions=["delete"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        images = list(queryset.filter(deleted_at__isnull=True))
        for image in images:
            service.delete_image(image)
        text = ngettext(
            "%(count)d picture is in the trash now.",
            "%(count)d pictures are in the trash now.",
            len(images),
        )
        self.message_user(request, text % {"count": len(images)}, messages.SUCCESS)

    @action(description=_("Restore from the trash"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        images = list(queryset.filter(deleted_at__isnull=False))
        for image in images:
            service.restore_image(image)
        text = ngettext(
            "%(count)d picture is restored.", "%(count)d pictures are restored.", len(images)
        )
        self.message_user(request, text % {"count": len(images)}, messages.SUCCESS)
