"""The browsers in which an account is signed in."""

from __future__ import annotations

from allauth.usersessions.models import UserSession

from gallery import trail
from gallery.models import User
from gallery.trail import Event

# The order matters: browsers also name the browsers that they resemble.
_BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def sessions_of(user: User) -> list[UserSession]:
    """The active sessions, the newest first."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.created_at, reverse=True)


def has(user: User, pk: int) -> bool:
    return UserSession.objects.filter(user=user, pk=pk).exists()


def end(user: User, pk: int) -> bool:
    """Sign a browser out. Return False if the account has no such session."""
    session = UserSession.objects.filter(user=user, pk=pk).first()
    if session is None:
        return False
    session.end()
    trail.record(Event.SESSION_ENDED, user, browser=describe(session.user_agent))
    return True


def end_all(user: User, besides: str | None = None) -> int:
    """Sign out all browsers but the one with the session key `besides`. Return their number."""
    ended = UserSession.objects.filter(user=user).exclude(session_key=besides or "")
    sessions = list(ended)
    for session in sessions:
        session.end()
    if sessions:
        trail.record(Event.SESSIONS_ENDED, user, count=len(sessions))
    return len(sessions)


def describe(user_agent: str) -> str:
    """Describe a User-Agent header like "Firefox · Linux"; else return its beginning."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    return " · ".join(filter(None, (browser, system))) or user_agent[:60]
