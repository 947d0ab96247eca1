"""Uploads that are cut in the middle go on where they stopped."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gallery.models import Image, ResumableUpload, User
from tests.browser.conftest import Site
from tests.browser.holding import Held
from tests.browser.uploading import KEPT, Requests, held_part, large, row
from tests.conftest import ROOT, stop, wait_for, worker_environment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PART = 8 * 1024 * 1024


@pytest.fixture
def cut(site: Site, member: User, tmp_path: Path) -> Callable[[], tuple[Path, Held]]:
    """Signs in, and sends a large picture until its second part is held back."""
    site.expected_errors = ["ERR_", "Failed to load"]
    site.enter(member)
    site.open("/upload/")

    def begin() -> tuple[Path, Held]:
        path = large(tmp_path)
        held = held_part(site.page, PART)
        site.page.locator("#files").set_input_files(path)
        held.wait()
        return path, held

    return begin


def check_arrived(path: Path) -> None:
    assert Image.objects.get().sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_after_the_connection_was_lost(
    site: Site, context: BrowserContext, cut: Callable[[], tuple[Path, Held]]
) -> None:
    page = site.page
    asked = Requests(page)
    path, held = cut()
    context.set_offline(True)
    held.release()
    expect(page.locator("#notice")).to_contain_text("does not answer")
    expect(page.locator(row("sending"))).to_contain_text("waiting for the server")
    context.set_offline(False)
    expect(page.locator(KEPT)).to_have_count(1, timeout=30_000)
    expect(page.locator("#notice")).to_be_hidden()
    # What had arrived was asked for, and not sent again.
    assert [r.method for r in asked.all].count("HEAD") >= 1
    assert asked.offsets() == [0, PART, PART, 2 * PART]
    check_arrived(path)


def test_after_a_reload(site: Site, cut: Callable[[], tuple[Path, Held]]) -> None:
    page = site.page
    path, held = cut()
    # The browser keeps a copy, so the page may be left without a question.
    page.wait_for_function("() => dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    held.release(lambda route: route.abort())
    asked = Requests(page)
    page.reload()
    expect(page.locator(KEPT)).to_have_count(1, timeout=30_000)
    assert asked.offsets() == [PART, 2 * PART]
    check_arrived(path)


def test_the_same_file_chosen_again(site: Site, cut: Callable[[], tuple[Path, Held]]) -> None:
    """Where the browser keeps no copy, as of large files."""
    page = site.page
    path, held = cut()
    page.wait_for_function("() => dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    held.release(lambda route: route.abort())
    page.evaluate(
        """() => new Promise((resolve) => {
            indexedDB.open("clipsite").onsuccess = ({ target: { result: database } }) => {
                const transaction = database.transaction("files", "readwrite");
                transaction.objectStore("files").clear();
                transaction.oncomplete = resolve;
            };
        })"""
    )
    page.reload()
    expect(page.locator(row("missing"))).to_contain_text(path.name)
    expect(page.locator("#missing")).to_contain_text("not finished: 1")
    asked = Requests(page)
    page.locator("#files").set_input_files(path)
    expect(page.locator(KEPT)).to_have_count(1, timeout=30_000)
    expect(page.locator(".upload-row")).to_have_count(1)
    expect(page.locator("#missing")).to_be_hidden()
    assert asked.offsets() == [PART, 2 * PART]
    check_arrived(path)


def test_what_the_server_has_counts(site: Site, cut: Callable[[], tuple[Path, Held]]) -> None:
    """It lost the last bytes of the first part, in a crash for one."""
    page = site.page
    path, held = cut()
    page.get_by_role("button", name="Pause large.bmp").click()
    expect(page.locator(row("paused"))).to_contain_text("Paused at 39 %")
    held.release(lambda route: route.abort())
    ResumableUpload.objects.update(offset=PART - 1000)
    asked = Requests(page)
    page.get_by_role("button", name="Resume large.bmp").click()
    expect(page.locator(KEPT)).to_have_count(1, timeout=30_000)
    assert asked.offsets()[0] == PART - 1000
    check_arrived(path)


def test_what_is_cancelled_is_forgotten(site: Site, cut: Callable[[], tuple[Path, Held]]) -> None:
    page = site.page
    _, held = cut()
    page.get_by_role("button", name="Cancel large.bmp").click()
    expect(page.locator(row("cancelled"))).to_have_count(1)
    held.release(lambda route: route.abort())
    wait_for(lambda: not ResumableUpload.objects.exists(), what="the upload is gone")
    page.reload()
    page.wait_for_timeout(1000)  # as long as it would take to come back
    expect(page.locator(".upload-row")).to_have_count(0)


def test_after_signing_in_again(
    site: Site, member: User, bob: User, cut: Callable[[], tuple[Path, Held]]
) -> None:
    page = site.page
    asked = Requests(page)
    path, held = cut()
    page.context.clear_cookies(name="sessionid")
    held.release()
    notice = page.locator("#notice")
    expect(notice).to_contain_text("You are signed out")
    expect(notice.get_by_role("link", name="Sign in")).to_be_visible()

    site.enter(bob)  # somebody else gets none of it
    page.wait_for_timeout(5000)  # one look at who is signed in
    expect(notice).to_contain_text("You are signed out")
    assert not ResumableUpload.objects.filter(owner=bob).exists()

    site.enter(member)
    expect(page.locator(KEPT)).to_have_count(1, timeout=30_000)
    assert asked.offsets().count(0) == 1
    check_arrived(path)
    assert Image.objects.get().owner == member


# --- A server that is killed ------------------------------------------------------


class Server:
    """gunicorn with the application, on the test database."""

    def __init__(self, media: Path, log: Path) -> None:
        self._media = media
        self._log = log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """DEBUG, so that it serves the scripts as they lie in the sources."""
        uploads = str(self._media / "uploads")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "clipsite.wsgi", "--threads", "8"),
                    *("--bind", f"127.0.0.1:{self._port}", "--worker-class", "gthread"),
                ],
                cwd=ROOT,
                env=worker_environment(self._media, DEBUG="1", UPLOAD_DIR=uploads),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, what=f"gunicorn, see {self._log}")

    def kill(self) -> None:
        """Master and worker at once, without a word."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "media", tmp_path / "gunicorn.log")
    server.start()
    yield server
    server.stop()


def test_after_the_server_was_killed(
    server: Server, page: Page, member: User, tmp_path: Path
) -> None:
    site = Site(server.url, page)
    site.expected_errors = ["ERR_", "Failed to load"]
    site.enter(member)
    site.open("/upload/")
    asked = Requests(page)
    path = large(tmp_path)
    held = held_part(page, PART)
    page.locator("#files").set_input_files(path)
    held.wait()

    server.kill()
    held.release()
    notice = page.locator("#notice")
    expect(notice).to_contain_text("does not answer")
    expect(notice).to_contain_text(re.compile("Next attempt in|Trying again"))
    server.start()
    expect(page.locator(KEPT)).to_have_count(1, timeout=60_000)
    expect(notice).to_be_hidden()
    assert asked.offsets().count(0) == 1
    check_arrived(path)
    site.check()
