"""The faults of a site, drawn from a seed. A fault is over when its function returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random

import psycopg
import redis

from tests.faults.parts import APPLICATION, PARTS, SERVICES, Site
from tests.faults.storage import Ill, flag
from tests.faults.uploads import People


@dataclass(frozen=True)
class Fault:
    """A fault. An outage lasts `seconds`."""

    kind: str
    what: str
    seconds: float
    number: int

    def __str__(self) -> str:
        lasts = f" for {self.seconds:.1f} s" if self.kind in LASTING else ""
        return f"{self.kind} {self.what}".strip() + lasts


_Befall = Callable[[Site, People, Fault], None]


def draw(
    rng: Random, shortest: float, longest: float, only: tuple[str, str | None] | None = None
) -> Fault:
    """Draw a fault, or one of the kind and of the part that `only` names. Half of all are kills.
    Outages last from `shortest` to `longest` seconds, with a log-uniform distribution."""
    kind, what = only or (rng.choice(KINDS) if rng.random() < 0.5 else "kill", None)
    seconds = shortest * (longest / shortest) ** rng.random()
    return Fault(kind, what or rng.choice(TROUBLE[kind][1]), seconds, rng.randrange(1000))


def named(text: str) -> tuple[str, str | None]:
    """Return the kind and the part of a fault like "storage" or "gone: valkey". Raises ValueError
    if there is no such fault."""
    for kind, (_befall, whats) in TROUBLE.items():
        what = text.removeprefix(kind).strip()
        if text.startswith(kind) and what in {"", *whats}:
            return kind, what or None
    raise ValueError(f"Faults are of these kinds: {', '.join(TROUBLE)}.")


def befall(site: Site, people: People, fault: Fault) -> None:
    TROUBLE[fault.kind][0](site, people, fault)


# --- Parts ------------------------------------------------------------------------


def _kill(site: Site, people: People, fault: Fault) -> None:
    """Kill a part, or all. The supervisor restarts them."""
    site.parts.kill(*(PARTS if fault.what == "all" else [fault.what]))


def _kill_one_process(site: Site, people: People, fault: Fault) -> None:
    site.parts.kill_one_of(fault.what, fault.number)


def _stop(site: Site, people: People, fault: Fault) -> None:
    site.parts.stop(fault.what)


def _away(site: Site, people: People, fault: Fault) -> None:
    """Kill a part, or all, and keep them down for a while."""
    slugs = PARTS if fault.what == "all" else [fault.what]
    with site.parts.gone(*slugs):
        site.parts.kill(*slugs)
        site.parts.run_for(fault.seconds)


def _frozen(site: Site, people: People, fault: Fault) -> None:
    with site.parts.frozen(fault.what):
        site.parts.run_for(fault.seconds)


def _broker_emptied(site: Site, people: People, fault: Fault) -> None:
    with suppress(redis.RedisError):  # the broker may be starting
        redis.Redis.from_url(site.environment["REDIS_URL"], socket_timeout=5).flushall()


# --- Storage ----------------------------------------------------------------------


def _storage(site: Site, people: People, fault: Fault) -> None:
    with ailing(site, Ill(fault.what)):
        site.parts.run_for(fault.seconds)


@contextmanager
def ailing(site: Site, ill: Ill) -> Iterator[None]:
    draft = site.faults / "draft"
    draft.write_text(ill)
    draft.replace(flag(site.faults))
    try:
        yield
    finally:
        flag(site.faults).unlink()


def _disk_gone(site: Site, people: People, fault: Fault) -> None:
    """Unmount the disk of the media: its folder is empty or missing. Files that are written
    meanwhile are moved aside at the end, as a mounted disk hides them."""
    aside = site.media.with_name("media-aside")
    site.media.rename(aside)
    try:
        if fault.what == "unmounted":
            site.media.mkdir()
        site.parts.run_for(fault.seconds)
    finally:
        under = site.faults / f"under-{len(list(site.faults.glob('under-*')))}"
        if site.media.exists():
            site.media.rename(under)
        aside.rename(site.media)


def _parts_of_uploads_lost(site: Site, people: People, fault: Fault) -> None:
    folder = site.media.with_name("uploads")
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                path.unlink()


# --- Connections ------------------------------------------------------------------


def _cut(site: Site, people: People, fault: Fault) -> None:
    people.cut(1 + fault.number % 10)


def _database_connections_cut(site: Site, people: People, fault: Fault) -> None:
    url = site.environment["DATABASE_URL"].replace("postgres://", "postgresql://")
    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


TROUBLE: dict[str, tuple[_Befall, tuple[str, ...]]] = {
    "kill": (_kill, (*PARTS, "encoder", "encoder", "media", "all")),
    "kill one process of": (_kill_one_process, ("web", "postgres")),
    "stop": (_stop, (*SERVICES, *APPLICATION)),
    "gone:": (_away, (*PARTS, "postgres", "valkey", "all")),
    "frozen:": (_frozen, ("valkey", "postgres", "encoder", "media")),
    "broker emptied": (_broker_emptied, ("",)),
    "storage": (_storage, tuple(Ill)),
    "disk": (_disk_gone, ("unmounted", "without its folder")),
    "parts of uploads lost": (_parts_of_uploads_lost, ("",)),
    "uploads cut": (_cut, ("",)),
    "database connections cut": (_database_connections_cut, ("",)),
}
KINDS = tuple(kind for kind in TROUBLE if kind != "kill")
LASTING = frozenset({"gone:", "frozen:", "storage", "disk"})
