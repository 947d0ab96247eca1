"""The log of events that matter for the security of accounts and of what they share."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SecurityEvent(models.Model):
    """One line of the trail (gallery/trail.py). It is kept for SECURITY_EVENT_DAYS, even if the
    accounts that it names are removed. Repeated failures are one line with a count."""

    class Source(models.TextChoices):
        PAGE = "page", _("Page")
        API = "api", _("API")
        ADMIN = "admin", _("Admin")
        WORKER = "worker", _("Worker")
        COMMAND = "command", _("Command")

    at = models.DateTimeField(_("time"), default=timezone.now)
    last_at = models.DateTimeField(_("last time"), default=timezone.now)
    times = models.PositiveIntegerField(_("times"), default=1)
    kind = models.CharField(_("event"), max_length=40)
    # The account that is concerned, or that owns the object; and who acted. Without constraints
    # in the database: an account that is removed meanwhile must not make the act fail.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("account"),
    )
    account_name = models.CharField(_("name of the account"), max_length=150, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        related_name="+",
        verbose_name=_("done by"),
    )
    actor_name = models.CharField(_("name of who did it"), max_length=150, blank=True)
    source = models.CharField(_("came through"), max_length=7, choices=Source.choices)
    # The address as rate limits see it (PROXY_COUNT); of the user agent only browser and system.
    address = models.CharField(_("network address"), max_length=64, blank=True)
    agent = models.CharField(_("browser"), max_length=60, blank=True)
    # The object of the act, like "album:…".
    target = models.CharField(_("object"), max_length=100, blank=True)
    details = models.JSONField(_("details"), default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["at"], name="event_time"),
            models.Index(fields=["account", "at"], name="event_account"),
            models.Index(fields=["kind", "at"], name="event_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_name}".strip()
