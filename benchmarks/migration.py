"""make bench ARGS="migration --pictures 1000000": the migration to one ledger, in a library of
synthetic rows: times, memory, sizes, the waits of others, and a run that is killed half-way.

Needs an empty database. All vectors are the same: nothing here uses them.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg

from clipsite.embedded.programs import REPOSITORY

BEFORE = "0012"
MIGRATIONS = ("0013", "0014", "0015", "0016")
TABLES = ("gallery_image", "gallery_embedding", "gallery_comparison", "gallery_analysis")
ACTIVE, BUILDING = 1, 2
# Rows of one statement while the library is created.
PART = 50_000
# The pause of readers and writers between two statements.
EVERY_SECONDS = 0.02
MIB = 2**20

PICTURES = """
INSERT INTO gallery_image
 (id, owner_id, title, description, visibility, file, sha256, original_name, byte_size,
  content_type, width, height, facts, ahead_of_utc, is_offset_known, camera, exif, render_state,
  render_error, render_attempts, placeholder, looks, palette, colour_cells, perceptual_hash,
  hidden_reason, created_at, updated_at)
SELECT gen_random_uuid(), 1, 'Picture ' || n, '', 'private', 'originals/1/' || md5(n::text),
       md5(n::text) || md5('x' || n), 'picture-' || n || '.jpg', 3000000, 'image/jpeg', 4000, 3000,
       2, 0, false, 'Phone', '{"ISO": "200"}',
       CASE WHEN n %% 100 = 0 THEN 'failed' WHEN n %% 50 = 1 THEN 'pending' ELSE 'ready' END, '', 0,
       'data:image/webp;base64,' || repeat('A', 300),
       CASE WHEN n %% 100 = 0 OR n %% 50 = 1 THEN 0 ELSE 1 END,
       '[["#c0392b", 0.41], ["#2980b9", 0.3]]', '{12,40,-3}', n, '', now(), now()
FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
# 2 in 100 rows wait and 1 in 100 has failed. Half of the rows wait in a space that is being
# built.
VECTORS = """
INSERT INTO gallery_embedding (image_id, space_id, state, vector, error, attempts, claimed_by,
                               created_at, encoded_at)
SELECT id, %(space)s, state, CASE state WHEN 'encoded' THEN %(vector)s::halfvec END, '',
       CASE state WHEN 'failed' THEN 1 ELSE 0 END, '', now(),
       CASE state WHEN 'encoded' THEN now() END
FROM (SELECT id, CASE WHEN perceptual_hash %% 100 = 0 THEN 'failed'
                      WHEN perceptual_hash %% 100 <= %(waiting)s THEN 'pending'
                      ELSE 'encoded' END AS state
      FROM gallery_image WHERE perceptual_hash BETWEEN %(first)s AND %(last)s) drawn
"""
QUEUED = """
INSERT INTO gallery_comparison (embedding_id, queued_at, due_at)
SELECT id, now(), now() FROM gallery_embedding
WHERE space_id = 1 AND state = 'encoded' AND id % 50 = 0
"""
EXPECTED = """
SELECT (SELECT count(*) FROM gallery_embedding) + 2 * (SELECT count(*) FROM gallery_image)
       + (SELECT count(*) FROM gallery_embedding WHERE space_id = 1 AND state = 'encoded'),
       (SELECT count(*) FROM gallery_embedding WHERE state = 'encoded'),
       (SELECT count(*) FROM gallery_embedding WHERE state = 'pending')
       + 2 * (SELECT count(*) FROM gallery_image WHERE render_state = 'pending')
       + (SELECT count(*) FROM gallery_comparison),
       (SELECT count(*) FROM gallery_embedding WHERE state = 'failed')
       + 2 * (SELECT count(*) FROM gallery_image WHERE render_state = 'failed')
"""
FOUND = """
SELECT count(*), (SELECT count(*) FROM gallery_embedding WHERE vector IS NOT NULL),
       count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'failed')
FROM gallery_analysis
"""
WORDS = ("analyses", "vectors", "waiting", "failed")


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    django.setup()
    with _connected() as connection:
        if connection.execute("SELECT to_regclass('gallery_image')").fetchone() != (None,):
            raise SystemExit("This database has tables: the benchmark wants an empty one.")
        _migrated(BEFORE)
        _fill(connection, options.pictures, options.spaces)
        expected = _row(connection, EXPECTED)
        _report_sizes(connection, "before")
        for name in MIGRATIONS:
            with _asked_meanwhile() as waits:
                if name == "0014":
                    _kill_half_way(options.pictures)
                seconds, memory = _migrated(name)
            slowest = ", ".join(f"{who} {worst * 1000:.0f} ms" for who, worst in waits.items())
            print(f"{name}: {seconds:.1f} s, at most {memory} MiB; longest wait: {slowest}")
            if name in {"0014", "0015"}:
                _report_sizes(connection, f"after {name}")
                _compare(expected, _row(connection, FOUND))
        connection.execute("VACUUM FULL gallery_image")
        connection.execute("VACUUM FULL gallery_embedding")
        _report_sizes(connection, "after all and VACUUM FULL")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="migration", description=__doc__)
    parser.add_argument("--pictures", type=int, default=200_000)
    parser.add_argument("--spaces", type=int, choices=(1, 2), default=2)
    return parser


def _connected() -> psycopg.Connection[Any]:
    url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://")
    return psycopg.connect(url, autocommit=True)


def _row(connection: psycopg.Connection[Any], statement: str) -> tuple[int, ...]:
    found = connection.execute(statement).fetchone()
    if found is None:
        raise LookupError(statement)
    return tuple(found)


def _fill(connection: psycopg.Connection[Any], pictures: int, spaces: int) -> None:
    started = time.monotonic()
    _user_before().objects.create(pk=1, username="ada")
    for number, state in ((ACTIVE, "active"), (BUILDING, "building"))[:spaces]:
        connection.execute(
            "INSERT INTO gallery_embeddingspace (id, architecture, pretrained, state, dimensions,"
            " checksum, error, languages, calibration, created_at)"
            " VALUES (%s, %s, '', %s, 512, 'x', '', '{}', '{}', now())",
            [number, f"model-{number}", state],
        )
    vector = "[" + ",".join(["0.0442"] * 512) + "]"
    for first in range(1, pictures + 1, PART):
        numbers = {"first": first, "last": min(first + PART - 1, pictures)}
        connection.execute(PICTURES, numbers)
        for space, waiting in ((ACTIVE, 2), (BUILDING, 50))[:spaces]:
            drawn = {**numbers, "space": space, "waiting": waiting, "vector": vector}
            connection.execute(VECTORS, drawn)
    connection.execute(QUEUED)
    connection.execute("VACUUM ANALYZE")
    print(f"{pictures} pictures, {spaces} spaces, made in {time.monotonic() - started:.0f} s")


def _user_before() -> Any:
    """The User model before the first of MIGRATIONS."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    before = loader.get_migration_by_prefix("gallery", BEFORE)
    return loader.project_state(("gallery", before.name)).apps.get_model("gallery", "User")


def _report_sizes(connection: psycopg.Connection[Any], when: str) -> None:
    sizes = {}
    for table in TABLES:
        (size,) = _row(connection, f"SELECT pg_total_relation_size(to_regclass('{table}'))")
        if size is not None:
            sizes[table.removeprefix("gallery_")] = size / MIB
    listed = ", ".join(f"{table} {size:.0f}" for table, size in sizes.items())
    print(f"MiB {when}: {listed}; together {sum(sizes.values()):.0f}", flush=True)


def _compare(expected: tuple[int, ...], found: tuple[int, ...]) -> None:
    for word, wanted, there in zip(WORDS, expected, found, strict=True):
        if wanted != there:
            raise SystemExit(f"{wanted} {word} expected, {there} found.")
    print("nothing twice, nothing missing: " + ", ".join(map(str, zip(WORDS, found, strict=True))))


# --- Migrating --------------------------------------------------------------------


def _migrate(name: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, str(REPOSITORY / "manage.py"), "migrate", "gallery", name]
    return subprocess.Popen([*program, "--verbosity", "0"], cwd=REPOSITORY)


def _migrated(name: str) -> tuple[float, int]:
    """Migrate to `name`. Return the seconds, and the peak memory of the process in MiB."""
    started = time.monotonic()
    process = _migrate(name)
    most = _watched(process, lambda: False)
    if process.returncode != 0:
        raise SystemExit(f"The migration to {name} failed.")
    return time.monotonic() - started, most


def _watched(process: subprocess.Popen[bytes], enough: Callable[[], bool]) -> int:
    """Wait until the process ends or `enough` holds. Return the peak memory in MiB."""
    most = 0
    while process.poll() is None and not enough():
        status = Path(f"/proc/{process.pid}/status").read_text()
        held = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        most = max(most, *(int(each) // 1024 for each in held), 0)
        time.sleep(0.05)
    return most


def _kill_half_way(pictures: int) -> None:
    """Kill the migration with SIGKILL once a third of the pictures has been copied."""
    started = time.monotonic()
    with _connected() as connection:

        def copied() -> int:
            return _row(
                connection, "SELECT count(*) FROM gallery_analysis WHERE analyser = 'renditions'"
            )[0]

        process = _migrate("0014")
        _watched(process, lambda: copied() >= pictures / 3)
        process.kill()
        process.wait()
        seconds = time.monotonic() - started
        print(f"0014 killed after {seconds:.1f} s with {copied()} of {pictures} pictures copied")


@contextmanager
def _asked_meanwhile() -> Iterator[dict[str, float]]:
    """Measure the longest wait of a reader who keeps reading pictures with their vectors, and
    of a writer who keeps changing titles."""
    waits = {"reader": 0.0, "writer": 0.0}
    over = threading.Event()
    statements = {
        "reader": "SELECT title, vector FROM gallery_image image LEFT JOIN gallery_embedding"
        " ON image_id = image.id AND space_id = 1 WHERE image.id = %s",
        "writer": "UPDATE gallery_image SET title = 'Changed' WHERE id = %s",
    }

    def ask(who: str) -> None:
        with _connected() as connection:
            ids = connection.execute("SELECT id FROM gallery_image LIMIT 10000").fetchall()
            for number in itertools.count():
                if over.is_set():
                    return
                started = time.monotonic()
                try:
                    connection.execute(statements[who], ids[number % len(ids)])
                except psycopg.Error as error:
                    print(f"the {who} was refused: {error}")
                waits[who] = max(waits[who], time.monotonic() - started)
                over.wait(EVERY_SECONDS)

    threads = [threading.Thread(target=ask, args=(who,)) for who in statements]
    for thread in threads:
        thread.start()
    try:
        yield waits
    finally:
        over.set()
        for thread in threads:
            thread.join()
