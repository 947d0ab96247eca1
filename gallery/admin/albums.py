"""Albums and groups of people, with their owners and sizes."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from gallery.admin.readonly import ReadOnlyAdmin
from gallery.models import Album, Group


@admin.register(Album)
class AlbumAdmin(ReadOnlyAdmin):
    """Albums. Only their owners change, share and delete them."""

    list_display = ("title", "owner", "item_count", "share_count", "created_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("owner",)
    search_fields = ("title", "description", "owner__username")
    fields = (
        "title", "description", "owner", "item_count", "share_count", "created_at", "updated_at",
        "deleted_at",
    )  # fmt: skip
    readonly_fields = ("item_count", "share_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Album]:
        albums: QuerySet[Album] = super().get_queryset(request)
        return albums.annotate(
            item_count=Count("items", distinct=True), share_count=Count("shares", distinct=True)
        )

    @display(description=_("pictures"), ordering="item_count")
    def item_count(self, album: Album) -> int:
        return album.item_count  # type: ignore[attr-defined]  # annotated above

    @display(description=_("shared with"), ordering="share_count")
    def share_count(self, album: Album) -> int:
        return album.share_count  # type: ignore[attr-defined]  # annotated above


@admin.register(Group)
class PeopleAdmin(ReadOnlyAdmin):
    """Groups of people with whom somebody shares albums."""

    list_display = ("name", "owner", "member_count", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "members__username")
    fields = ("name", "owner", "members", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(people=Count("members"))

    @display(description=_("members"), ordering="people")
    def member_count(self, group: Group) -> int:
        return group.people  # type: ignore[attr-defined]  # annotated above
