"""`make demo`: what it prepares; and the whole demo, started, killed and started again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import LazySettings

from clipsite.embedded.ports import free_port
from gallery.library.samples import SAMPLES, load_samples
from gallery.library.service import delete_image, purge_image
from gallery.management.commands.prepare_demo import collect_static_files, create_first_account
from gallery.models import Image, User
from tests.conftest import draw
from tests.embedded_tools import LAUNCHER, REPOSITORY, processes_of, run_launcher, wait_until

# --- What prepare_demo does --------------------------------------------------------


@pytest.mark.django_db
def test_the_account_is_made_in_an_empty_installation_only() -> None:
    assert create_first_account("demo", "demo-demo")
    demo = User.objects.get()
    assert demo.is_superuser
    demo.set_password("changed")
    demo.save()
    assert not create_first_account("demo", "demo-demo")
    demo.refresh_from_db()
    assert demo.check_password("changed")


@pytest.mark.django_db
def test_the_account_does_not_come_back(alice: User) -> None:
    assert not create_first_account("demo", "demo-demo")
    assert not User.objects.filter(username="demo").exists()


@pytest.mark.django_db
def test_a_deleted_sample_does_not_come_back(alice: User, tmp_path: Path) -> None:
    journal = tmp_path / "samples.json"
    assert load_samples(alice, journal) == len(SAMPLES)
    in_trash, purged, *_ = Image.objects.owned_by(alice)
    delete_image(in_trash)
    purge_image(purged)
    assert load_samples(alice, journal) == 0
    assert Image.objects.owned_by(alice).count() == len(SAMPLES) - 2


@pytest.mark.django_db
def test_samples_that_a_kill_left_unwritten_are_not_added_twice(
    alice: User, tmp_path: Path
) -> None:
    load_samples(alice, tmp_path / "samples.json")
    (tmp_path / "samples.json").unlink()
    load_samples(alice, tmp_path / "samples.json")
    assert Image.objects.owned_by(alice).count() == len(SAMPLES)


def test_the_documented_samples_are_those_that_are_loaded() -> None:
    page = (REPOSITORY / "docs" / "sample-pictures.md").read_text()
    documented = re.findall(r"^\| `([^`]+)` \| ([^|(]+?) (?:\([^|]*)?\|", page, re.MULTILINE)
    assert documented == [(sample.file, sample.title) for sample in SAMPLES]
    for sample in SAMPLES:
        assert sample.path().is_file()


def test_static_files_are_collected_when_they_have_changed(
    tmp_path: Path, settings: LazySettings
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.css").write_text("a {}")
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = str(tmp_path / "static")
    assert collect_static_files()
    assert not collect_static_files()
    (tmp_path / "source" / "b.css").write_text("b {}")
    assert collect_static_files()
    assert (tmp_path / "static" / "b.css").exists()


# --- The whole ----------------------------------------------------------------------


class Demo:
    """A running demo: its output, its address, its processes."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.output = data_dir / "output"
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                [*LAUNCHER, "demo"],
                cwd=REPOSITORY,
                env=os.environ
                | {"DATA_DIR": str(data_dir), "PORT": str(free_port()), "DEBUG": "0"}
                | environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(lambda: self._address() or self.process.poll() is not None, 120)
        self.url = self._address()
        assert self.url, self.output.read_text()

    def _address(self) -> str:
        found = re.search(r"^Ready: (http://127\.0\.0\.1:\d+)$", self.output.read_text(), re.M)
        return found.group(1) if found else ""

    def pid_of(self, slug: str) -> int:
        record = json.loads((self.data_dir / "run" / f"{slug}.pid.json").read_text())
        pid: int = record["identity"]["pid"]
        return pid

    def kill_all(self) -> None:
        """Kill the launcher and all its child processes at once (SIGKILL), like a power cut."""
        slugs = ("postgres", "valkey", "encoder", "web", "media", "chores", "beat")
        for pid in (self.process.pid, *(self.pid_of(slug) for slug in slugs)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def best_title(self, words: str) -> str | None:
        """Return the title of the best public hit, or None while the encoder is down."""
        answer = requests.get(f"{self.url}/api/v1/search/", {"q": words, "limit": 1}, timeout=30)
        if answer.status_code == 503:
            return None
        results = answer.json()["results"]
        return results[0]["image"]["title"] if results else ""

    def session(self) -> requests.Session:
        """Return a client signed in as demo."""
        session = requests.Session()
        answer = session.post(
            f"{self.url}/api/v1/auth/login/", json={"username": "demo", "password": "demo-demo"}
        )
        session.headers["Authorization"] = f"Token {answer.json()['token']}"
        return session


@pytest.fixture
def data_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="clipsite-test-"))
    path.chmod(0o711)
    yield path
    wait_until(lambda: not processes_of(path), 60)
    shutil.rmtree(path)


@pytest.mark.demo
def test_from_nothing_to_searching_and_through_a_crash(data_dir: Path, tmp_path: Path) -> None:
    photos = tmp_path / "my photos"
    photos.mkdir()
    (photos / "blue.jpg").write_bytes(draw(colour="blue"))
    (photos / "broken.jpg").write_bytes(draw()[:300])
    demo = Demo(data_dir, PHOTOS=str(photos))
    try:
        _check_first_start(demo)
        demo.kill_all()
        demo = Demo(data_dir)
        _check_second_start(demo)
        assert demo.stop() == 0, demo.output.read_text()
        assert processes_of(data_dir) == []
    finally:
        if demo.process.poll() is None:
            demo.stop()


def _check_first_start(demo: Demo) -> None:
    assert "Added 1, already there 0, not imported 1." in demo.output.read_text()
    assert "broken.jpg: " in demo.output.read_text()
    wait_until(lambda: demo.best_title("a cup of coffee") == "Cup of coffee · 一杯咖啡", 60)
    wait_until(lambda: demo.best_title("猫") == "Chelsea the cat · 小猫切尔西", 30)

    with demo.session() as session:
        added = session.post(
            f"{demo.url}/api/v1/images/",
            files={"file": ("green.jpg", draw(colour="green"))},
            data={"title": "Kept through the crash"},
        )
        assert added.status_code == 201, added.text
        coffee = session.get(f"{demo.url}/api/v1/search/", params={"q": "coffee", "limit": 1})
        image = coffee.json()["results"][0]["image"]["id"]
        assert session.delete(f"{demo.url}/api/v1/images/{image}/").status_code == 204

    again = run_launcher("demo", "--data-dir", str(demo.data_dir))
    assert again.returncode == 1
    assert again.stderr.startswith(f"Clipsite is already running at {demo.url}")
    shared = run_launcher(
        "exec", "--data-dir", str(demo.data_dir), "--", "printenv", "DATABASE_URL", env={"PORT": ""}
    )
    assert shared.stdout.strip() in (demo.data_dir / "demo.env").read_text()
    assert (demo.data_dir / "demo.env").stat().st_mode & 0o777 == 0o600


def _check_second_start(demo: Demo) -> None:
    with demo.session() as session:
        images = session.get(f"{demo.url}/api/v1/images/").json()["results"]
    titles = {image["title"] for image in images}
    assert "Kept through the crash" in titles
    assert "Cup of coffee · 一杯咖啡" not in titles, "deleted before the crash"

    killed = demo.pid_of("encoder")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: demo.pid_of("encoder") != killed, 30)
    wait_until(lambda: demo.best_title("a cat asleep") == "Chelsea the cat · 小猫切尔西", 60)
    assert "The encoder worker stopped (signal 9" in demo.output.read_text()
