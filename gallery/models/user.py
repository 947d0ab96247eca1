from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, AnonymousUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.access import TokenBinding
from gallery.models.leased import Leased


class AccountManager(UserManager["User"]):
    def create_superuser(self, *args: Any, **fields: Any) -> User:
        return super().create_superuser(*args, role=User.Role.ADMINISTRATOR, **fields)


class User(AbstractUser, Leased):
    """An account. Its role says what it may do beyond its own pictures.

    The lease belongs to the worker that removes the account.
    """

    class Role(models.TextChoices):
        USER = "user", _("User")
        MODERATOR = "moderator", _("Moderator")
        ADMINISTRATOR = "administrator", _("Administrator")

    role = models.CharField(_("role"), max_length=13, choices=Role.choices, default=Role.USER)
    display_name = models.CharField(_("name shown to others"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)

    keep_history = models.BooleanField(_("keep a history of my searches"), default=True)

    mail_notices = models.BooleanField(_("tell me by mail what is shared with me"), default=False)
    # The account's picture (Portrait). Its id is here, too: pages show it without a query.
    portrait_id = models.UUIDField(null=True, editable=False)

    # Null: the installation's default (QUOTA_BYTES, QUOTA_IMAGES); 0: no limit.
    quota_bytes = models.BigIntegerField(_("most bytes"), null=True, blank=True)
    quota_images = models.PositiveIntegerField(_("most pictures"), null=True, blank=True)

    # Raised when credentials other than the password change: a second factor, rights.
    credentials_version = models.PositiveIntegerField(default=0, editable=False)

    # Set when the owner deleted the account: a worker removes what is left of it.
    deletion_requested_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()

    @property
    def credentials_digest(self) -> str:
        """The digest to which sessions and tokens are bound. They all end when it changes,
        however the password was changed."""
        return hashlib.sha256(f"{self.credentials_version}-{self.password}".encode()).hexdigest()

    def check_password(self, raw_password: str | None) -> bool:
        """Check the password. If Django's settings have become stricter, this also rehashes it.
        The password is still the same, so tokens stay bound."""
        before = self.credentials_digest
        is_right = bool(super().check_password(raw_password))
        if self.credentials_digest != before:
            TokenBinding.rebind(self.pk, before, self.credentials_digest)
        return is_right

    def get_session_auth_hash(self) -> str:
        return f"{self.credentials_version}-{super().get_session_auth_hash()}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for former in super().get_session_auth_fallback_hash():
            yield f"{self.credentials_version}-{former}"

    @property
    def shown_name(self) -> str:
        return self.display_name or self.get_username()

    @property
    def is_moderator(self) -> bool:
        """Administrators are moderators, too."""
        return self.role in {self.Role.MODERATOR, self.Role.ADMINISTRATOR}

    @property
    def is_administrator(self) -> bool:
        return self.role == self.Role.ADMINISTRATOR


# Who looks: an account, or a visitor without one. All rights depend on it.
Viewer = User | AnonymousUser
