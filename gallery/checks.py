"""System checks of the installation. Each problem is one clear line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections, transaction
from django.db.utils import DatabaseError, OperationalError

from gallery import rate_limits
from gallery.indexing import vector_indexes
from gallery.indexing.spaces import active_space
from gallery.search.evaluation import recall

POSTGRESQL_MINIMUM = 15
# 0.8.2 to 0.8.4 fixed an HNSW build overflow, corruption under vacuum and graph
# repair; 0.8.0 brought iterative index scans.
PGVECTOR_MINIMUM = (0, 8, 2)
PGVECTOR_RECOMMENDED = (0, 8, 4)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])


@register(Tags.database)
def database_versions(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that PostgreSQL and pgvector are new enough. Runs with `check --database default`
    and before `migrate`."""
    if not databases or "default" not in databases:
        return []
    try:
        server, vector = _installed_versions()
    except OperationalError as error:
        return [Error(f"The database does not answer: {error}", id="gallery.E001")]
    problem = _version_problem(server, vector)
    return [problem] if problem else []


def _installed_versions() -> tuple[int, str | None]:
    """Return the major version of PostgreSQL, and the version of pgvector that is installed or
    can be, if any."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
        cursor.execute(
            "SELECT coalesce("
            " (SELECT extversion FROM pg_extension WHERE extname = 'vector'),"
            " (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'))"
        )
        (vector,) = cursor.fetchone()
    return server, vector


def _version_problem(server: int, vector: str | None) -> CheckMessage | None:
    if server < POSTGRESQL_MINIMUM:
        return Error(
            f"PostgreSQL {server} is too old: Clipsite needs {POSTGRESQL_MINIMUM} or newer.",
            id="gallery.E002",
        )
    if vector is None:
        return Error(
            "The PostgreSQL server has no pgvector: install the package "
            f"postgresql-{server}-pgvector there, or use the image pgvector/pgvector.",
            id="gallery.E003",
        )
    if _version(vector) < PGVECTOR_MINIMUM:
        return Error(
            f"pgvector {vector} is too old: Clipsite needs 0.8.2 or newer "
            "(install it, then ALTER EXTENSION vector UPDATE).",
            id="gallery.E004",
        )
    if _version(vector) < PGVECTOR_RECOMMENDED:
        return Warning(
            f"pgvector {vector} has index bugs that 0.8.4 fixed; an update is recommended.",
            id="gallery.W001",
        )
    return None


@register(Tags.security)
def limits_are_rates(**kwargs: Any) -> list[CheckMessage]:
    """Check that the THROTTLE_… variables are valid rates."""
    problems: list[CheckMessage] = []
    for text in {**settings.LIMITS, **settings.VISITOR_LIMITS}.values():
        try:
            rate_limits.rate(text)
        except ValueError as error:
            problems.append(Error(f"In a THROTTLE_… variable {error}", id="gallery.E006"))
    return problems


@register(Tags.database)
def index_recall(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check the recall of the index in the last measurement of the active space. Report nothing
    before the tables exist or before the first measurement."""
    if not databases or "default" not in databases:
        return []
    try:
        with transaction.atomic():
            space = active_space()
            measured = recall.latest(space) if space else None
    except DatabaseError:
        return []
    low = recall.too_low(measured) if measured else []
    if measured is None or not low:
        return []
    worst = min(low, key=lambda figure: figure["recall"])
    return [
        Warning(
            f"Searches miss results: recall@{recall.K} is {worst['recall']:.3f} for "
            f"{worst['kind']} queries in the scope “{worst['scope']}”, and should be "
            f"{recall.ENOUGH} or more ({len(low)} of {len(measured.figures)} figures are lower).",
            hint="Measure again in the admin. If it stays low, rebuild the index of the space.",
            id="gallery.W002",
        )
    ]


@register(Tags.database)
def index_lists(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the lists of a large library could be built. Report nothing before the tables
    exist."""
    if not databases or "default" not in databases:
        return []
    try:
        with transaction.atomic():
            space = active_space()
    except DatabaseError:
        return []
    failure = vector_indexes.lists_failure(space) if space else None
    if failure is None:
        return []
    return [
        Warning(
            f"Searches are slower than need be: the lists of {space} could not be made: {failure}",
            hint="Give PostgreSQL more memory or disk, or lower INDEX_BUILD_MEMORY. It is tried "
            f"again every {vector_indexes.RETRY_SECONDS // 60} minutes.",
            id="gallery.W003",
        )
    ]
