"""Who an album or a picture is shown to besides its owner."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from gallery.models.user import User


class AlbumRole(models.TextChoices):
    """What somebody may do in an album of another; each includes those before it."""

    VIEW = "view", _("View")
    ADD = "add", _("View and add own pictures")
    MANAGE = "manage", _("Manage: edit, arrange, share")


class Group(models.Model):
    """People whom its owner shares albums with at once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_groups"
    )
    name = models.CharField(_("name"), max_length=100)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="member_of", verbose_name=_("members"), blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("group of people")
        verbose_name_plural = _("groups of people")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="group_name_once_per_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class AlbumShareQuerySet(models.QuerySet["AlbumShare"]):
    def given_to(self, user: User | AnonymousUser) -> AlbumShareQuerySet:
        """Shares with `user` by name or through a group. A group's owner is not
        thereby its member."""
        if not user.pk:
            return self.none()
        groups = Group.members.through.objects.filter(user_id=user.pk).values("group_id")
        return self.filter(Q(user_id=user.pk) | Q(group_id__in=groups))


class AlbumShare(models.Model):
    """An album shown to one person or one group."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    album = models.ForeignKey("gallery.Album", on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="album_shares",
    )
    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, null=True, related_name="album_shares"
    )
    role = models.CharField(
        _("role"), max_length=6, choices=AlbumRole.choices, default=AlbumRole.VIEW
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AlbumShareQuerySet.as_manager()

    class Meta:
        verbose_name = _("shared album")
        verbose_name_plural = _("shared albums")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True)
                | Q(user__isnull=True, group__isnull=False),
                name="share_with_one_user_or_group",
            ),
            models.UniqueConstraint(fields=["album", "user"], name="album_share_once_per_user"),
            models.UniqueConstraint(fields=["album", "group"], name="album_share_once_per_group"),
        ]

    def __str__(self) -> str:
        return f"{self.album_id} → {self.user_id or self.group_id}"


def new_token() -> str:
    """128 bits: nobody finds a link by trying."""
    return secrets.token_urlsafe(16)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def live(self) -> ShareLinkQuerySet:
        """Links that still open something: neither revoked nor expired nor used up."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            Q(max_uses__isnull=True) | Q(use_count__lt=models.F("max_uses")),
            revoked_at__isnull=True,
        )


class ShareLink(models.Model):
    """An album or a picture shown to whoever has the address, and the password if
    there is one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    album = models.ForeignKey(
        "gallery.Album", on_delete=models.CASCADE, null=True, related_name="links"
    )
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.CASCADE, null=True, related_name="links"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="share_links"
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    # Hashed like an account's; empty: none is asked for.
    password = models.CharField(max_length=128, blank=True, editable=False)
    allow_download = models.BooleanField(_("may be downloaded"), default=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    # A use is one visitor's session with the link, not each of its requests.
    max_uses = models.PositiveIntegerField(_("most visits"), null=True, blank=True)
    use_count = models.PositiveIntegerField(_("visits"), default=0, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(album__isnull=False, image__isnull=True)
                | Q(album__isnull=True, image__isnull=False),
                name="link_to_one_album_or_image",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.album or self.image)
