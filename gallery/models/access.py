"""Access to accounts: invitations to register, and tokens for programs."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def new_code() -> str:
    return secrets.token_urlsafe(16)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def live(self) -> InvitationQuerySet:
        return self.filter(
            used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now()
        )


class Invitation(models.Model):
    """Lets one person register where registration is by invitation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=64, unique=True, default=new_code, editable=False)
    # Empty: anybody who has the link may use it.
    email = models.EmailField(_("email address"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.email or str(self.id)


class ApiToken(models.Model):
    """Name and scope of a token. Tokens without such a row were issued by signing in through
    the API and have full access."""

    class Scope(models.TextChoices):
        READ = "read", _("Read only")
        WRITE = "write", _("Read and write")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.OneToOneField(
        "knox.AuthToken", on_delete=models.CASCADE, related_name="description"
    )
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(_("scope"), max_length=5, choices=Scope.choices)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    class Meta:
        verbose_name = _("described token")
        verbose_name_plural = _("described tokens")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class TokenBinding(models.Model):
    """The credentials of the account when a token was issued (`User.credentials_digest`). The
    token works as long as they are unchanged; a token without such a row never works."""

    token = models.OneToOneField(
        "knox.AuthToken", on_delete=models.CASCADE, primary_key=True, related_name="binding"
    )
    credentials = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("token binding")
        verbose_name_plural = _("token bindings")

    def __str__(self) -> str:
        return str(self.token_id)

    @classmethod
    def rebind(cls, user_id: int, former: str, credentials: str) -> int:
        """Bind the tokens of the `former` credentials to the new ones. Returns how many."""
        bound = cls.objects.filter(token__user_id=user_id, credentials=former)
        return bound.update(credentials=credentials)
