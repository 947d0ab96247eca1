"""Signing in without the form, which has its own tests."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from gallery.models import User
from tests.browser.conftest import Site


def enter(site: Site, user: User) -> None:
    """Sign in `user` from the next page on, instead of anybody before."""
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site.url}
    site.page.context.add_cookies([cookie])
