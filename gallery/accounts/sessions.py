"""Where an account is signed in with a browser."""

from __future__ import annotations

from allauth.usersessions.models import UserSession

from gallery import trail
from gallery.models import User
from gallery.trail import Event

# In this order: browsers name those that they resemble, too.
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
    """The sessions that are alive, the newest first."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.created_at, reverse=True)


def has(user: User, pk: int) -> bool:
    return UserSession.objects.filter(user=user, pk=pk).exists()


def end(user: User, pk: int) -> bool:
    """Sign that browser out; False if the account has no such session."""
    session = UserSession.objects.filter(user=user, pk=pk).first()
    if session is None:
        return False
    session.end()
    trail.record(Event.SESSION_ENDED, user, browser=describe(session.user_agent))
    return True


def end_all(user: User, besides: str | None = None) -> int:
    """Sign out every browser but the one whose session key is `besides`."""
    ended = UserSession.objects.filter(user=user).exclude(session_key=besides or "")
    sessions = list(ended)
    for session in sessions:
        session.end()
    if sessions:
        trail.record(Event.SESSIONS_ENDED, user, count=len(sessions))
    return len(sessions)


def describe(user_agent: str) -> str:
    """ "Firefox · Linux" as far as the header tells, else the header's beginning."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    return " · ".join(filter(None, (browser, system))) or user_agent[:60]
