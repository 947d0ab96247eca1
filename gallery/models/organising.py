"""Tags, favourites and downloads of a user, and acts that can be undone."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from gallery.models.user import Viewer
from gallery.models.words import Key, Words, called


class TagQuerySet(models.QuerySet["Tag"]):
    def named(self, owner: Viewer, name: str) -> Tag | None:
        """The owner's tag of this name (gallery.models.words)."""
        return called(self.filter(owner_id=owner.pk or 0), "name", name).first()


class Tag(models.Model):
    """A word that an owner gives to own pictures. Nobody else sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags"
    )
    name = models.CharField(_("name"), max_length=50)
    images = models.ManyToManyField("gallery.Image", related_name="tags", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint("owner", Key("name"), name="tag_name_once_per_owner"),
        ]
        indexes = [GinIndex(Words("name"), name="tag_words")]

    def __str__(self) -> str:
        return self.name


class Favourite(models.Model):
    """A picture that somebody likes, own or not. Nobody else sees it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites"
    )
    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [
            models.UniqueConstraint(fields=["user", "image"], name="favourite_once_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} ♥ {self.image_id}"


class Change(models.Model):
    """One act on many pictures, with the data that is needed to undo it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="changes"
    )
    action = models.CharField(max_length=30)
    # The former state, in a shape that depends on the action.
    before = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["created_at"], name="change_age")]

    def __str__(self) -> str:
        return f"{self.action} ({self.created_at:%Y-%m-%d %H:%M})"


class Download(models.Model):
    """Pictures that a user wants to download as one file.

    They are stored here and not in the cache, which may lose them: the link of the download
    would then be dead.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="downloads"
    )
    name = models.CharField(max_length=200)
    image_ids = ArrayField(models.UUIDField())
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["created_at"], name="download_age")]

    def __str__(self) -> str:
        return self.name
