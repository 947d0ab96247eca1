"""The state of all parts that the site needs, for `ready/`, the admin and the launcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import redis
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.encoders import reply
from gallery.indexing import titles
from gallery.indexing.encoding import model_of
from gallery.indexing.spaces import active_space, failed_space
from gallery.models import EmbeddingSpace, Outage
from gallery.work import coverage, originals

# The parts that a search needs. The others are only reported: a server without the storage
# still searches, and as all servers share the storage, they would all go out of service.
NEEDED = ("database", "broker", "worker", "space")


@dataclass(frozen=True)
class PartStatus:
    """One part: `state` is a stable word, `detail` a sentence."""

    ok: bool
    state: str
    detail: str = ""


@dataclass(frozen=True)
class WorkStatus(PartStatus):
    """The numbers of waiting and failed analyses (of one picture by one analyser). None if they
    were not counted yet."""

    waiting: int | None = None
    failed: int | None = None


def readiness() -> dict[str, PartStatus]:
    """The state of each part. Never raises for a part that is down."""
    broker, worker = _broker_and_worker()
    database, space, storage, work = _database_and_what_it_knows()
    return {
        "database": database,
        "broker": broker,
        "worker": worker,
        "space": space,
        "storage": storage,
        "work": work,
    }


def is_ready(parts: Mapping[str, PartStatus]) -> bool:
    """Whether people can search."""
    return all(parts[name].ok for name in NEEDED)


def _database_and_what_it_knows() -> tuple[PartStatus, PartStatus, PartStatus, WorkStatus]:
    try:
        connection.ensure_connection()
        outages = {outage.thing: outage for outage in Outage.objects.all()}
        space, storage, work = _space(outages), _storage(outages), _work()
    except DatabaseError:
        connection.close()
        down = PartStatus(False, "down", _("The database does not answer."))
        unknown = PartStatus(False, "unknown", down.detail)
        return down, unknown, unknown, WorkStatus(False, "unknown", down.detail)
    return PartStatus(True, "ok"), space, storage, work


def _space(outages: Mapping[str, Outage]) -> PartStatus:
    space = active_space()
    if space is None:
        return _no_space(failed_space())
    outage = outages.get(model_of(space))
    if outage is not None:
        return PartStatus(False, "error", outage.detail)
    return PartStatus(True, "active", space.name)


def _no_space(failed: EmbeddingSpace | None) -> PartStatus:
    if failed is None:
        return PartStatus(False, "building", _("No model is active yet."))
    return PartStatus(False, "error", failed.error)


def _storage(outages: Mapping[str, Outage]) -> PartStatus:
    """Use sentences of our own: anybody may read them, and the storage's own errors may name
    folders and machines."""
    for thing, state in ((originals.STORAGE, "away"), (originals.WRITING, "not_writable")):
        if thing in outages:
            return PartStatus(False, state, titles.told(outages[thing]))
    return PartStatus(True, "ok")


def _work() -> WorkStatus:
    totals = coverage.recent()
    if totals is None:
        return WorkStatus(True, "unknown")
    waiting, failed = totals.waiting, totals.failed
    said = [
        ngettext("%(count)d analysis waits.", "%(count)d analyses wait.", waiting)
        % {"count": waiting}
        if waiting
        else "",
        ngettext("%(count)d has failed.", "%(count)d have failed.", failed) % {"count": failed}
        if failed
        else "",
    ]
    state = "waiting" if waiting else "done"
    return WorkStatus(True, state, " ".join(filter(None, said)), waiting, failed)


def _broker_and_worker() -> tuple[PartStatus, PartStatus]:
    try:
        state = reply.heartbeat()
    except redis.RedisError:
        down = PartStatus(False, "down", _("The message broker does not answer."))
        return down, PartStatus(False, "unknown", down.detail)
    broker = PartStatus(True, "ok")
    if state is None:
        return broker, PartStatus(False, "down", _("No encoder worker is running."))
    if state == "starting":
        return broker, PartStatus(False, "starting", _("The encoder worker is loading its model."))
    return broker, PartStatus(True, "ok", _pace())


def _pace() -> str:
    """How the models encode pictures: the fastest way, measured when they were loaded."""
    try:
        models = reply.running()
    except redis.RedisError:
        return ""
    said = []
    for name, way in models.items():
        facts = [
            _("%(count)d at a time") % {"count": way["batch"]},
            way["precision"],
            way["device"],
        ]
        if "threads" in way:
            facts += [
                _("%(count)d threads") % {"count": way["threads"]},
                _("channels last") if way["channels_last"] else _("channels first"),
                _("%(time)s ms a picture") % {"time": way["milliseconds"]},
            ]
        said.append(f"{name}: {', '.join(facts)}")
    return "; ".join(said)
