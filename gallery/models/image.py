from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from gallery.models.embedding import Embedding
    from gallery.models.user import User


class ImageQuerySet(models.QuerySet["Image"]):
    """Who may read what. Every read in the product starts from one of these."""

    def visible_to(self, user: User | AnonymousUser) -> ImageQuerySet:
        """Pictures that lists, searches and counts show to `user`."""
        return self.filter(self._visible(user), deleted_at__isnull=True)

    def reachable_by(self, user: User | AnonymousUser) -> ImageQuerySet:
        """Visible pictures plus unlisted ones: `user` names the id, as in a link."""
        return self.filter(
            self._visible(user) | Q(visibility=Image.Visibility.UNLISTED),
            deleted_at__isnull=True,
        )

    def owned_by(self, user: User | AnonymousUser) -> ImageQuerySet:
        """Pictures that `user` may change; none for an anonymous visitor."""
        return self.filter(owner_id=user.pk, deleted_at__isnull=True) if user.pk else self.none()

    def in_trash_of(self, user: User | AnonymousUser) -> ImageQuerySet:
        """Deleted pictures that `user` may still restore."""
        return self.filter(owner_id=user.pk, deleted_at__isnull=False) if user.pk else self.none()

    @staticmethod
    def _visible(user: User | AnonymousUser) -> Q:
        public = Q(visibility=Image.Visibility.PUBLIC)
        return public | Q(owner_id=user.pk) if user.pk else public


class Image(models.Model):
    """One picture of one owner. The original lies untouched in the storage."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", _("Private")
        UNLISTED = "unlisted", _("Unlisted: anyone with the link")
        PUBLIC = "public", _("Public")

    class RenderState(models.TextChoices):
        PENDING = "pending", _("Pending")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="images",
        verbose_name=_("owner"),
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    description = models.TextField(_("description"), max_length=5000, blank=True)
    visibility = models.CharField(
        _("visibility"),
        max_length=10,
        choices=Visibility.choices,
        default=Visibility.PRIVATE,
    )

    # The original: content-addressed per owner, so that nothing about one
    # owner's files is revealed to another.
    file = models.FileField(_("file"), max_length=255, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    original_name = models.CharField(_("file name"), max_length=255, blank=True)
    byte_size = models.BigIntegerField(_("size in bytes"), editable=False)
    content_type = models.CharField(_("type"), max_length=50, editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)

    # From EXIF. Width and height above are those after the orientation is applied.
    captured_at = models.DateTimeField(_("taken"), null=True, blank=True)
    camera = models.CharField(_("camera"), max_length=200, blank=True)
    exif = models.JSONField(_("camera settings"), default=dict, blank=True)
    # GPS is private to the owner.
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)

    # Made by the media worker.
    render_state = models.CharField(
        max_length=10, choices=RenderState.choices, default=RenderState.PENDING, editable=False
    )
    render_error = models.TextField(blank=True, editable=False)
    render_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    placeholder = models.TextField(
        blank=True, editable=False, help_text=_("A tiny blurred preview as a data URI.")
    )

    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = ImageQuerySet.as_manager()

    if TYPE_CHECKING:
        owner_id: int
        embeddings: models.Manager[Embedding]
        # Annotated by gallery.indexing.ledger.with_state.
        index_state: str
        index_error: str

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "sha256"], name="image_once_per_owner"),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="image_of_owner"),
            models.Index(
                fields=["-created_at", "-id"],
                name="image_public",
                condition=Q(visibility="public", deleted_at__isnull=True),
            ),
            models.Index(fields=["sha256"], name="image_exact_copies"),
            models.Index(
                fields=["created_at"],
                name="image_render_pending",
                condition=Q(render_state="pending"),
            ),
            models.Index(
                fields=["deleted_at"],
                name="image_in_trash",
                condition=Q(deleted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        """What a picture is called where it has no title. Never the file name:
        that may hold what its owner would not show to others."""
        return self.title or str(_("Untitled"))

    def is_owned_by(self, user: User | AnonymousUser) -> bool:
        return user.pk is not None and self.owner_id == user.pk
