from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.album import Album
from gallery.models.user import Viewer


class NoticeQuerySet(models.QuerySet["Notice"]):
    def shown_to(self, user: Viewer) -> NoticeQuerySet:
        """Notices to `user` of what `user` still sees: a notice ends with the share."""
        if not user.pk:
            return self.none()
        visible = Album.objects.visible_to(user).order_by().values("pk")
        return self.filter(recipient_id=user.pk, album__in=visible)


class Notice(models.Model):
    """Tells one person that somebody has shared an album or pictures with them."""

    class Kind(models.TextChoices):
        ALBUM = "album", _("Shared an album with you")
        PICTURES = "pictures", _("Shared pictures with you")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # Null: the account is gone, and the share is still there.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="notices")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)
    # The absolute address of the album in a mail that is still to be sent; empty: none is.
    mail_link = models.CharField(max_length=500, blank=True, default="")

    objects = NoticeQuerySet.as_manager()

    if TYPE_CHECKING:
        recipient_id: int
        actor_id: int | None
        album_id: uuid.UUID

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "album"], name="notice_once_per_recipient_and_album"
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "-created_at", "-id"], name="notice_of_recipient"),
            models.Index(
                fields=["created_at"], name="notice_to_mail", condition=~models.Q(mail_link="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_id}"
