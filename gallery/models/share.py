"""Sharing: groups of people, shared albums, and links to albums and pictures."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models.user import User, Viewer


class AlbumRole(models.TextChoices):
    """What a user may do in another user's album. Each role includes those before it."""

    VIEW = "view", _("View")
    ADD = "add", _("View and add own pictures")
    MANAGE = "manage", _("Manage: edit, arrange, share")


class GroupQuerySet(models.QuerySet["Group"]):
    def owned_by(self, user: Viewer) -> GroupQuerySet:
        return self.filter(owner_id=user.pk) if user.pk else self.none()

    def visible_to(self, user: Viewer) -> GroupQuerySet:
        """Groups that `user` owns or is in, and may share albums with."""
        if not user.pk:
            return self.none()
        memberships = Group.members.through.objects.filter(user_id=user.pk).values("group_id")
        return self.filter(Q(owner_id=user.pk) | Q(pk__in=memberships))

    def with_members(self) -> GroupQuerySet:
        """Prefetches `members`, by name. Without an order, the database returns those last who
        signed in last."""
        return self.prefetch_related(models.Prefetch("members", User.objects.order_by("username")))

    def with_member_count(self) -> GroupQuerySet:
        return self.annotate(member_count=models.Count("members"))


class Group(models.Model):
    """People with whom the owner of the group can share an album in one step."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_groups"
    )
    name = models.CharField(_("name"), max_length=100)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="member_of", verbose_name=_("members"), blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GroupQuerySet.as_manager()

    if TYPE_CHECKING:
        owner_id: int
        album_shares: models.Manager[AlbumShare]
        # Annotated by with_member_count.
        member_count: int

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
    def given_to(self, user: Viewer) -> AlbumShareQuerySet:
        """Shares with `user`, directly or through a group. The owner of a group need not be a
        member of it."""
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

    if TYPE_CHECKING:
        album_id: uuid.UUID
        user_id: int | None
        group_id: uuid.UUID | None

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

    @property
    def shown_name(self) -> str:
        """The name of the person or the group."""
        return self.user.shown_name if self.user else str(self.group)


def new_token() -> str:
    """Return a random token of 128 bits, which nobody can guess."""
    return secrets.token_urlsafe(16)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def live(self) -> ShareLinkQuerySet:
        """Links that admit new visitors: neither revoked nor expired nor used up."""
        return self._unended().filter(
            Q(max_uses__isnull=True) | Q(use_count__lt=models.F("max_uses"))
        )

    def showing(self) -> ShareLinkQuerySet:
        """Links that work for visitors whom they have admitted, even if they are used up now:
        not ended, and see `standing`."""
        return self._unended().standing()

    def standing(self) -> ShareLinkQuerySet:
        """Links whose target others may see, and whose maker may still share it."""
        to_picture = Q(
            image__owner_id=models.F("created_by_id"),
            image__deleted_at__isnull=True,
            image__hidden_at__isnull=True,
        )
        to_album = Q(album__deleted_at__isnull=True) & (
            Q(album__owner_id=models.F("created_by_id")) | models.Exists(self._managing())
        )
        return self.filter(to_picture | to_album, created_by__is_active=True)

    def with_standing(self) -> ShareLinkQuerySet:
        """Annotates `is_standing`: see `standing`."""
        standing = ShareLink.objects.standing().filter(pk=models.OuterRef("pk"))
        return self.annotate(is_standing=models.Exists(standing))

    def managed_by(self, user: Viewer) -> ShareLinkQuerySet:
        """Links that `user` made, and all links to albums that `user` manages."""
        if not user.pk:
            return self.none()
        managing = AlbumShare.objects.given_to(user).filter(role=AlbumRole.MANAGE)
        managed = Q(album__owner_id=user.pk) | Q(album_id__in=managing.values("album_id"))
        return self.filter(Q(created_by_id=user.pk) | (managed & Q(album__deleted_at__isnull=True)))

    def _unended(self) -> ShareLinkQuerySet:
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
        )

    @staticmethod
    def _managing() -> AlbumShareQuerySet:
        """Shares that let the maker of a link manage its album."""
        maker = models.OuterRef("created_by_id")
        # The outer of the outer query: the outer query itself is for shares, which have a
        # `created_by` of their own.
        memberships = Group.members.through.objects.filter(user_id=models.OuterRef(maker))
        return AlbumShare.objects.filter(
            Q(user_id=maker) | Q(group_id__in=memberships.values("group_id")),
            album_id=models.OuterRef("album_id"),
            role=AlbumRole.MANAGE,
        )


class ShareLink(models.Model):
    """An album or a picture shown to everybody who has the address, and the password if there
    is one."""

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
    # Hashed like an account's; empty: no password is needed.
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

    if TYPE_CHECKING:
        album_id: uuid.UUID | None
        image_id: uuid.UUID | None
        created_by_id: int
        # Annotated by with_standing.
        is_standing: bool

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
