"""The clock removes what has expired."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from gallery import tasks
from gallery.accounts import expiry, tokens
from gallery.models import ApiToken, User
from tests.conftest import api

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> tuple[Client, str]:
    client = Client()
    client.force_login(user)
    client.get("/")
    key = client.session.session_key
    UserSession.objects.get_or_create(
        session_key=key, defaults={"user": user, "ip": "127.0.0.1", "user_agent": "Firefox/1"}
    )
    return client, str(key)


def test_expired_sessions_and_their_browsers_are_forgotten(alice: User, bob: User) -> None:
    gone, gone_key = signed_in(alice)
    stays, stays_key = signed_in(bob)
    Session.objects.filter(pk=gone_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    expiry.forget()
    assert set(Session.objects.values_list("pk", flat=True)) == {stays_key}
    assert set(UserSession.objects.values_list("session_key", flat=True)) == {stays_key}
    assert stays.get("/account/").status_code == 200
    assert gone.get("/account/").status_code == 302


def test_a_browser_whose_session_ended_otherwise_is_forgotten(alice: User) -> None:
    _client, key = signed_in(alice)
    Session.objects.filter(pk=key).delete()
    expiry.forget()
    assert not UserSession.objects.exists()


def test_expired_tokens_are_forgotten(alice: User, bob: User) -> None:
    ended = timezone.now() - timedelta(days=1)
    long_ended = timezone.now() - timedelta(days=expiry.LISTED_DAYS + 1)
    alive = api(bob)
    _row, _secret = AuthToken.objects.create(alice)
    for name, moment in (("just ended", ended), ("long ended", long_ended), ("alive", None)):
        named, _secret = tokens.issue(alice, name, ApiToken.Scope.READ, 10)
        if moment:
            AuthToken.objects.filter(pk=named.token_id).update(expiry=moment)
    tokens.issue(alice, "for ever", ApiToken.Scope.READ, None)
    AuthToken.objects.filter(user=alice, description=None).update(expiry=ended)
    expiry.forget()
    names = set(tokens.tokens_of(alice).values_list("name", flat=True))
    assert names == {"just ended", "alive", "for ever"}
    assert not AuthToken.objects.filter(user=alice, description=None).exists()
    assert alive.get("/api/v1/auth/me/").status_code == 200


def test_the_clock_does_it_each_day(alice: User) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["forget-expired"]
    assert entry["task"] == tasks.forget_expired.name
    assert entry["schedule"].hour == {3}
    _client, key = signed_in(alice)
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(days=1))
    tasks.forget_expired()
    assert not Session.objects.exists()
