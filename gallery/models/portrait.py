from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Portrait(models.Model):
    """The picture of an account: a small square WebP file without metadata. It is in the database
    because it is small, and so goes with its account and its backups. Each new picture has a new
    id (`User.portrait_id`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="portrait"
    )
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("picture of an account")
        verbose_name_plural = _("pictures of accounts")

    def __str__(self) -> str:
        return str(self.user_id)
