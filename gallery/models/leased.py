"""Columns of rows that only one worker at a time works on."""

from __future__ import annotations

from django.db import models


class Leased(models.Model):
    """The worker with the token `claim` may work on the row until `claimed_until`
    (gallery.work.leases)."""

    claim = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
