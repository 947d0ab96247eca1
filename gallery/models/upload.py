"""Incoming files: resumable uploads, and imports of many pictures at once."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.leased import Leased


class ResumableUpload(models.Model):
    """One file that arrives in parts (the tus protocol).

    `offset` bytes are safely on the disk. Bytes that a broken request left behind them are cut
    off when the next part comes.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", _("Being received")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="resumable_uploads"
    )
    name = models.CharField(max_length=255, blank=True)
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # Title, visibility, album and the like, as the client sent them.
    metadata = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    # The result: a picture, an import (of a ZIP file), or a refusal.
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    batch = models.ForeignKey(
        "gallery.ImportBatch", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    duplicate = models.BooleanField(default=False)
    restored = models.BooleanField(default=False)
    error_code = models.CharField(max_length=50, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("resumable upload")
        verbose_name_plural = _("resumable uploads")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["expires_at"], name="upload_expiry")]

    def __str__(self) -> str:
        return f"{self.name or self.id} ({self.offset} / {self.length})"


class ImportBatch(Leased):
    """Many pictures that a worker fetches: from a ZIP file or from addresses."""

    class Kind(models.TextChoices):
        ZIP = "zip", _("ZIP file")
        URLS = "urls", _("Addresses")

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports"
    )
    kind = models.CharField(max_length=4, choices=Kind.choices)
    name = models.CharField(max_length=255, blank=True)
    visibility = models.CharField(max_length=10, default="private")
    album = models.ForeignKey(
        "gallery.Album", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"


class ImportItem(models.Model):
    """One entry of a ZIP file, or one address. If a worker dies, the import goes on with the
    pending items."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        ADDED = "added", _("Added")
        DUPLICATE = "duplicate", _("Already there")
        FAILED = "failed", _("Failed")
        LEFT_OUT = "left_out", _("No picture")

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="items")
    # The address, or the name of the entry in the ZIP file.
    source = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("item of an import")
        verbose_name_plural = _("items of imports")
        ordering = ["id"]
        indexes = [models.Index(fields=["batch", "state", "id"], name="import_queue")]

    def __str__(self) -> str:
        return self.source
