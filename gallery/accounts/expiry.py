"""Deletes expired sessions and tokens: their rows tell whose they were and from where they were
used."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone
from knox.models import AuthToken

# How long a named token stays in the list after its end, so that the owner sees why it no
# longer works.
LISTED_DAYS = 30


def forget() -> None:
    """Delete expired sessions with the data about their browsers, and expired tokens."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(alive)).delete()
    expired = AuthToken.objects.filter(expiry__lt=timezone.now())
    expired.filter(description__isnull=True).delete()
    expired.filter(expiry__lt=timezone.now() - timedelta(days=LISTED_DAYS)).delete()
