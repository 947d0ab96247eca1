"""A real Chromium on a live server. Each test also checks that its pages ask no other server and
that their scripts raise no error."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from PIL import Image as PILImage
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, expect
from pytest_django.live_server_helper import LiveServer

from gallery.models import User
from gallery.templatetags import inclusion
from gallery.web import scripts
from tests.conftest import wait_for
from tools.browser import installed

# Playwright's synchronous API runs an event loop in this thread. Without this setting Django would
# refuse to use the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a long password"

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session", autouse=True)
def _closed_connections(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Close the connections of the server's threads at the end: they outlive their requests, and no
    database is dropped that somebody is connected to."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = installed()
    chosen = {"executable_path": path} if path else {}
    return {**browser_type_launch_args, **chosen, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_context_args,
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "reduced_motion": "reduce",
    }


RELEASED = "clipsite.static_files.HashedStaticFilesStorage"


@pytest.fixture(scope="session")
def _collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as a release has them, but not compressed. Pages need half as many requests
    as during development, and a browser keeps what it has."""
    here = tmp_path_factory.mktemp("collected")
    with _release(here):
        call_command("collectstatic", interactive=False, verbosity=0)
    return here


def _release(collected: Path) -> override_settings:
    return override_settings(
        STATIC_ROOT=str(collected),
        STORAGES={**settings.STORAGES, "staticfiles": {"BACKEND": RELEASED}},
        WHITENOISE_SKIP_COMPRESS_EXTENSIONS=("css", "js", "svg"),
    )


@pytest.fixture(scope="session")
def live_server(_collected: Path) -> Iterator[LiveServer]:
    """A live server whose static files come from WhiteNoise, as in a release."""
    with _release(_collected), pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.contrib.staticfiles.handlers.StaticFilesHandler", lambda site: site)
        server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def _no_addresses_of_other_tests() -> Iterator[None]:
    """Forget the addresses of static files, which other tests have without hashes."""
    _forget_addresses()
    yield
    _forget_addresses()


def _forget_addresses() -> None:
    scripts._known.cache_clear()
    inclusion._fixed.cache_clear()


@pytest.fixture(autouse=True)
def _released_files(_private_data: None, _collected: Path) -> Iterator[None]:
    with _release(_collected):
        yield


class Site:
    """The live server as one visitor sees it, in `page`."""

    def __init__(self, url: str, page: Page) -> None:
        self.url = url
        self.page = page
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        # Parts of messages that a test provokes. They are no faults.
        self.expected_errors: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._request(request.url))

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.url + path)
        return self.page

    def enter(self, user: User) -> None:
        """Sign in `user` from the next page on, instead of anybody before. The form has its own
        tests."""
        client = Client()
        client.force_login(User.objects.get(pk=user.pk))  # its secret may have changed
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}
        self.page.context.add_cookies([cookie])

    def sign_in(self, user: User) -> None:
        """Sign in `user` and open the home page."""
        self.enter(user)
        self.open()
        self.page.wait_for_load_state()  # the scripts that listen to keys are loaded

    def sign_out(self) -> None:
        """Sign out from the next page on. First end the requests of this page, such as thumbnails:
        the next user would be refused them."""
        leave(self.page)
        self.page.context.clear_cookies()

    def check(self) -> None:
        assert self.elsewhere == [], "a page asked another server"
        faults = [
            error
            for error in self.errors
            if not any(expected in error for expected in self.expected_errors)
        ]
        assert faults == [], "the scripts complained"

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _tells_why_nothing_is_similar(message):
            self.errors.append(message.text)

    def _request(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.elsewhere.append(url)


def _tells_why_nothing_is_similar(message: ConsoleMessage) -> bool:
    """Return whether a message says why a picture has no similar ones. In most tests nothing is
    encoded, and it is chance whether that answer arrives before the test ends."""
    asked = "/similar/" in message.text or message.location["url"].endswith("/similar/")
    return asked and any(status in message.text for status in ("400", "503"))


def hand_over(page: Page, kind: str, path: Path) -> None:
    """Paste a picture into the page, or ("drop") drop it onto the page."""
    page.evaluate(
        """([kind, name, data]) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
            const options = {bubbles: true, cancelable: true};
            const event = kind === "paste"
                ? new ClipboardEvent("paste", {...options, clipboardData: transfer})
                : new DragEvent(kind, {...options, dataTransfer: transfer});
            document.body.dispatchEvent(event);
        }""",
        [kind, path.name, base64.b64encode(path.read_bytes()).decode()],
    )


def all_closed(page: Page) -> None:
    """Wait until the history has no entry of a dialog or menu. A closed one goes back to remove
    its entry, which would cancel a page that is just being loaded."""
    page.wait_for_function("() => !history.state?.over")


def leave(page: Page) -> None:
    """End all requests of the page."""
    wait_for(lambda: page.is_closed() or _left(page), what="the page is left")


def settle(page: Page) -> None:
    """Leave the page and wait for the server's work for it, such as thumbnails. Otherwise this work
    overlaps with the emptying of the database."""
    leave(page)
    wait_for(lambda: not _requests_at_work(), what="requests are done")


def _left(page: Page) -> bool:
    """Return whether the page could be left: False if it went elsewhere by itself, like a page that
    reloads, or goes back from a dialog that was closed."""
    try:
        page.goto("about:blank")
    except Error as error:
        if not any(why in error.message for why in ("interrupted by another", "ERR_ABORTED")):
            raise
        return False
    return True


def _requests_at_work() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def site(live_server: Any, worker_media: Path, page: Page) -> Iterator[Site]:
    """The site. It shares the media folder with the workers, which may run since an earlier
    test."""
    site = Site(live_server.url, page)
    yield site
    try:
        site.check()
    finally:
        settle(page)


@pytest.fixture
def member(transactional_db: None) -> User:
    return User.objects.create_user("dora", "dora@example.org", PASSWORD)


@pytest.fixture
def phone(context: BrowserContext, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Real photographs as JPEG files, by name."""
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    found = {}
    for name in ("coffee", "chelsea", "astronaut"):
        found[name] = folder / f"{name}.jpg"
        PILImage.fromarray(getattr(data, name)()).save(found[name], quality=90)
    return found
