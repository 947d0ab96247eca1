"""Shared fixtures: two users, generated pictures, real workers.

PostgreSQL with pgvector and Valkey come from the environment (`make test` starts them). The
encoder worker is a real Celery worker with the starter model.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import OperationalError, connection, transaction
from django.db.backends.postgresql.creation import DatabaseCreation
from django.test import TransactionTestCase
from django.utils import translation
from PIL import Image as PILImage
from PIL import ImageDraw

from gallery.encoders import reply
from gallery.models import Image, User
from tests import slow
from tests.migrated import Migrated

ROOT = Path(__file__).resolve().parent.parent
WORKER_START_SECONDS = 180


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--note-slow", action="store_true", help="write tests/slow.txt")
    # tests/sharing/test_rights_property.py reads these. `make rights` sets them.
    rights = parser.getgroup("rights")
    rights.addoption("--answers", type=int, help="how many are to be compared")
    rights.addoption("--seed", type=int, help="of the worlds; another one each time unless given")
    rights.addoption("--world", type=int, help="the seed of a single world")


def pytest_configure(config: pytest.Config) -> None:
    """Separate test runs on the same servers: each sets PYTEST_DB_SUFFIX. The processes of
    pytest-xdist have separate Redis databases as well; pytest-django separates their PostgreSQL
    databases."""
    suffix = os.environ.get("PYTEST_DB_SUFFIX", "")
    if suffix:
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"test_clipsite_{suffix}"
    process = os.environ.get("PYTEST_XDIST_WORKER", "")
    if config.getoption("note_slow") and not process:
        config.pluginmanager.register(slow.Measure())
    if suffix or process:
        number = _redis_number(f"{suffix}-{process}")
        settings.REDIS_URL = f"{settings.REDIS_URL.rpartition('/')[0]}/{number}"
        settings.CELERY_BROKER_URL = settings.REDIS_URL
        for cache in settings.CACHES.values():
            cache["LOCATION"] = settings.REDIS_URL


def _redis_number(suffix: str) -> int:
    """Return the Redis database of a suffix, from 1 to 15. The server counts the suffixes, so any
    15 new ones in a row have different databases."""
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as server:
        known = server.hget("pytest:numbers", suffix)
        if known is None:
            server.hsetnx("pytest:numbers", suffix, server.incr("pytest:count") % 15 + 1)
            known = server.hget("pytest:numbers", suffix)
    return int(str(known))


def pytest_itemcollected(item: pytest.Item) -> None:
    if slow.name_of(item.nodeid) in slow.listed():
        item.add_marker("slow")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first. At the end, one process would work alone on them."""
    items.sort(key=lambda item: slow.seconds_of_file(item.nodeid), reverse=True)


def pytest_collection_finish() -> None:
    # The tests and their imports live until the end. Frozen, they cost the collector no time.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_disks() -> Iterator[None]:
    """Do not wait until files are on the disk. No test pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def _migrated(pytestconfig: pytest.Config) -> Migrated:
    return Migrated(pytestconfig.cache.mkdir("migrated"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, _migrated: Migrated
) -> Iterator[None]:
    """Fill a new database from the dump of an earlier run."""
    create = DatabaseCreation._create_test_db

    def filled(creation: DatabaseCreation, *arguments: Any, **options: Any) -> str:
        name = create(creation, *arguments, **options)
        _migrated.restore(name)
        return name

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseCreation, "_create_test_db", filled)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, _migrated: Migrated, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        _migrated.keep(connection.settings_dict["NAME"])


# Django fills these after each migration, always with the same rows.
_LASTING_TABLES = {"auth_permission", "django_content_type"}


@pytest.fixture(autouse=True, scope="session")
def _quick_flush() -> Iterator[None]:
    """Empty all tables except the lasting ones after tests with a live server or workers. A process
    that still works may lock the tables in another order. The database resolves the deadlock by
    an error, and the fixture tries again."""

    def empty_tables(case: TransactionTestCase) -> None:
        names = connection.introspection.django_table_names(include_views=False)
        tables = [name for name in names if name not in _LASTING_TABLES]
        for tries_left in (3, 2, 1, 0):
            try:
                return _empty(tables)
            except OperationalError as error:
                if "deadlock" not in str(error) or not tries_left:
                    raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


# TRUNCATE takes milliseconds for each table and its indexes, whatever they hold. Most tests write a
# few rows into a few tables, and DELETE is much quicker there.
_FEW_BYTES = 128 * 1024


def _empty(tables: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Wait for the transactions that still write.
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})"
                for table in tables
            )
        )
        filled = cursor.fetchall()
        # Without checks of foreign keys.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, size in filled:
            if size <= _FEW_BYTES:
                cursor.execute(f"DELETE FROM {table}")
        if large := [table for table, size in filled if size > _FEW_BYTES]:
            cursor.execute(f"TRUNCATE {', '.join(large)} CASCADE")


@pytest.fixture(scope="session")
def _no_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture(autouse=True)
def _private_data(
    tmp_path: Path, settings: Any, request: pytest.FixtureRequest, _no_files: Path
) -> None:
    """Give each test its own media folder, unless it shares one with a worker."""
    if "worker_media" in request.fixturenames:
        settings.MEDIA_ROOT = str(request.getfixturevalue("worker_media"))
    else:
        settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.UPLOAD_DIR = f"{settings.MEDIA_ROOT}-uploads"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Hashed names need a collected manifest; pages are tested without one.
    plain_static = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": plain_static}}
    # Every test client would scan all collected files. A live server finds static files itself.
    settings.STATIC_ROOT = str(_no_files)


@pytest.fixture(autouse=True)
def _first_language() -> None:
    """Reset the language: the last page of an earlier test may have been Chinese."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    # Not clear(): that would flush the broker's keys too.
    cache.delete_pattern("*")


@pytest.fixture(autouse=True)
def _unheard_rings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no messages in a test without workers. Workers of earlier tests still run and would do
    its work before the test looks."""
    if not {"encoder_worker", "media_worker"}.intersection(request.fixturenames):
        nobody = SimpleNamespace(send_task=lambda *ring, **options: None)
        monkeypatch.setattr("gallery.dispatch.current_app", nobody)


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.org", "alice-password")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", "bob-password")


@pytest.fixture
def media(settings: Any) -> Path:
    """The folder of this test's originals and renditions."""
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def dispatched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The dispatched calls, recorded instead of sent to a broker."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr("gallery.dispatch.on_commit", lambda *call: calls.append(call))
    return calls


def draw(
    width: int = 64,
    height: int = 48,
    colour: str | tuple[int, ...] = "red",
    format: str = "JPEG",
    **save: Any,
) -> bytes:
    """Return a generated picture as file bytes. Different colours give different bytes."""
    image = PILImage.new("RGB", (width, height), colour)
    ImageDraw.Draw(image).ellipse(
        (width * 0.25, height * 0.25, width * 0.75, height * 0.75), fill="white"
    )
    buffer = io.BytesIO()
    image.save(buffer, format, **save)
    return buffer.getvalue()


def upload(
    owner: User, data: bytes | None = None, name: str = "picture.jpg", **fields: Any
) -> Image:
    """Store a picture in the same way as every upload."""
    from gallery.library.service import add_image

    content = ContentFile(data if data is not None else draw(), name=name)
    return add_image(owner=owner, file=content, name=name, **fields).image


def api(user: User | None = None) -> Any:
    """Return an API client. With `user`, it is signed in by a token."""
    from rest_framework.test import APIClient

    from gallery.accounts import tokens

    client = APIClient()
    if user is not None:
        _, token = tokens.sign_in(user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def wait_for(predicate: Callable[[], Any], timeout: float = 30, what: str = "") -> Any:
    """Poll until `predicate` is true and return its value. Raise AssertionError after `timeout`
    seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = predicate()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"Still not true after {timeout} s: {what or predicate}")


# --- Real workers -----------------------------------------------------------------


def worker_environment(media: Path, **extra: str) -> dict[str, str]:
    """Return the environment of a process that works on the test database."""
    parts = connection.settings_dict
    url = (
        f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}"
        f"/{parts['NAME']}"
    )
    return {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "MEDIA_ROOT": str(media),
        "UPLOAD_DIR": f"{media}-uploads",
        "DJANGO_SETTINGS_MODULE": "clipsite.settings",
        # Tests trigger the workers' sweeps themselves (tests/sweeping.py).
        "CLIPSITE_SWEEP_SECONDS": "86400",
        **extra,
    }


def start_worker(
    name: str, queues: str, media: Path, log: Path, concurrency: int = 4, **environment: str
) -> subprocess.Popen[bytes]:
    with log.open("ab") as stream:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "clipsite", "worker", "-P", "threads"),
                *("-Q", queues, "-c", str(concurrency), "-n", f"{name}@test"),
                *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
            ],
            cwd=ROOT,
            env=worker_environment(media, **environment),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )


def stop(process: subprocess.Popen[bytes], timeout: float = 20) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


# The running workers of this session, and the queues that they consume.
_listening: dict[str, tuple[str, ...]] = {}


def _let_workers_finish() -> None:
    """Wait until the workers have done all dispatched work. Otherwise it would overlap with the
    emptying of the tables and with the next test."""
    wait_for(_workers_are_idle, 60, "the workers are idle")


def _workers_are_idle() -> bool:
    broker = reply.connection()
    if any(broker.llen(queue) for queues in _listening.values() for queue in queues):
        return False
    names = [f"{name}@test" for name in _listening]
    inspect = current_app.control.inspect(names, timeout=5, limit=len(names))
    answers = [inspect.reserved() or {}, inspect.active() or {}]
    return not any(tasks for answer in answers for tasks in answer.values())


@pytest.fixture(scope="session")
def worker_media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The media folder that tests and their workers share."""
    return tmp_path_factory.mktemp("worker-media")


@pytest.fixture(scope="session")
def _encoder_process(
    django_db_setup: None, django_db_blocker: Any, worker_media: Path, tmp_path_factory: Any
) -> Iterator[subprocess.Popen[bytes]]:
    log = tmp_path_factory.mktemp("logs") / "encoder.log"
    process = start_worker("encoder", "query,index", worker_media, log, concurrency=8)
    try:
        wait_for(
            lambda: process.poll() is not None or reply.heartbeat() == "ready",
            WORKER_START_SECONDS,
            f"encoder worker ready, see {log}",
        )
        assert process.poll() is None, log.read_text()
        _listening["encoder"] = ("query", "index")
        yield process
    finally:
        _listening.pop("encoder", None)
        stop(process)


@pytest.fixture
def encoder_worker(
    transactional_db: None, worker_media: Path, _encoder_process: subprocess.Popen[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A running encoder worker whose first space is active and has its concepts."""
    _have_first_space()
    yield _encoder_process
    _let_workers_finish()


# The first space and its concepts, as a worker has made them for an earlier test.
_first_space: list[dict[str, Any]] = []


def _have_first_space() -> None:
    """Have the worker prepare the first space, or put back what it has made before."""
    from gallery.indexing import concepts, vector_indexes
    from gallery.indexing.spaces import active_space, ensure_first_space
    from gallery.models import ConceptVectors, EmbeddingSpace

    if _first_space:
        values, made = _first_space
        space = EmbeddingSpace.objects.create(**values)
        ConceptVectors.objects.create(space=space, **made)
        vector_indexes.create_index(space)
        return
    ensure_first_space()
    space = wait_for(active_space, WORKER_START_SECONDS, "an active space")
    wait_for(lambda: concepts.are_made(space), 60, "the concepts")
    rows = EmbeddingSpace.objects.filter(pk=space.pk), ConceptVectors.objects.filter(space=space)
    _first_space[:] = [row.values().get() for row in rows]
    del _first_space[0]["id"], _first_space[1]["space_id"]


@pytest.fixture(scope="session")
def _media_process(
    django_db_setup: None, worker_media: Path, tmp_path_factory: Any
) -> Iterator[subprocess.Popen[bytes]]:
    log = tmp_path_factory.mktemp("logs") / "media.log"
    process = start_worker("media", "media,chores", worker_media, log, concurrency=20)
    _listening["media"] = ("media", "chores")
    yield process
    del _listening["media"]
    stop(process)


@pytest.fixture
def media_worker(
    transactional_db: None, worker_media: Path, _media_process: subprocess.Popen[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A running worker for all tasks without the model. The product has two for them."""
    yield _media_process
    _let_workers_finish()


@pytest.fixture
def valkey() -> redis.Redis:
    """A connection to the broker, to inspect or fill it."""
    return reply.connection()
