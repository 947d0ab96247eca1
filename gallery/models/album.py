from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gallery.models.share import AlbumRole, AlbumShare
from gallery.models.user import Viewer

if TYPE_CHECKING:
    from gallery.models.share import ShareLink


class AlbumQuerySet(models.QuerySet["Album"]):
    """Albums by what a user may do with them."""

    def owned_by(self, user: Viewer) -> AlbumQuerySet:
        return self.filter(owner_id=user.pk, deleted_at__isnull=True) if user.pk else self.none()

    def visible_to(self, user: Viewer) -> AlbumQuerySet:
        return self._with_role(user, *AlbumRole.values)

    def open_to(self, user: Viewer) -> AlbumQuerySet:
        """Albums that `user` may add own pictures to."""
        return self._with_role(user, AlbumRole.ADD, AlbumRole.MANAGE)

    def managed_by(self, user: Viewer) -> AlbumQuerySet:
        """Albums that `user` may edit, arrange and share."""
        return self._with_role(user, AlbumRole.MANAGE)

    def listed(self) -> AlbumQuerySet:
        """Without the pictures that were shared together as a selection. For lists of albums to
        look at or to choose from; it decides nothing about rights."""
        return self.filter(for_sharing=False)

    def in_trash_of(self, user: Viewer) -> AlbumQuerySet:
        return self.filter(owner_id=user.pk, deleted_at__isnull=False) if user.pk else self.none()

    def _with_role(self, user: Viewer, *roles: str) -> AlbumQuerySet:
        if not user.pk:
            return self.none()
        shared = AlbumShare.objects.given_to(user).filter(role__in=roles)
        return self.filter(
            Q(owner_id=user.pk) | Q(pk__in=shared.values("album_id")), deleted_at__isnull=True
        )


class Album(models.Model):
    """Pictures in an order chosen by hand, shared together.

    Everybody who may see the album sees every picture in it. Only the owner of a picture adds
    it to an album (`AlbumItem`), and so agrees to that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="albums",
        verbose_name=_("owner"),
    )
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), max_length=5000, blank=True)
    # If it is null or no longer in the album, the first picture is the cover.
    cover = models.ForeignKey(
        "gallery.Image", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Made by sharing a selection: it is listed under Sharing and not among the albums.
    for_sharing = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)

    objects = AlbumQuerySet.as_manager()

    if TYPE_CHECKING:
        owner_id: int
        items: models.Manager[AlbumItem]
        shares: models.Manager[AlbumShare]
        links: models.Manager[ShareLink]

    class Meta:
        verbose_name = _("album")
        verbose_name_plural = _("albums")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at", "-id"], name="album_of_owner")]

    def __str__(self) -> str:
        return self.title or str(_("Shared pictures"))


class AlbumItem(models.Model):
    """One picture in one album, put there by the picture's owner."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="items")
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="album_items")
    # Ascending; gaps and fractions let one item move without touching the others.
    position = models.FloatField()
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("picture in an album")
        verbose_name_plural = _("pictures in albums")
        constraints = [
            models.UniqueConstraint(fields=["album", "image"], name="image_once_per_album"),
        ]
        indexes = [
            models.Index(fields=["album", "position", "id"], name="album_order"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} @ {self.album_id}"
