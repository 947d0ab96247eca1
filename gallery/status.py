"""Is everything there that the site needs? Asked by `ready/`, the admin and the launcher."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import redis
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from gallery.encoders import reply
from gallery.indexing.spaces import active_space, failed_space


@dataclass(frozen=True)
class PartStatus:
    """One part: `state` is a stable word, `detail` a sentence."""

    ok: bool
    state: str
    detail: str = ""

    def as_dict(self) -> dict[str, bool | str]:
        return asdict(self)


def readiness() -> dict[str, PartStatus]:
    """The state of database, broker, worker and space; never raises for a part that is down."""
    broker, worker = _broker_and_worker()
    database, space = _database_and_space()
    return {"database": database, "broker": broker, "worker": worker, "space": space}


def _database_and_space() -> tuple[PartStatus, PartStatus]:
    try:
        connection.ensure_connection()
        space = active_space()
        failed = None if space else failed_space()
    except DatabaseError:
        connection.close()
        down = PartStatus(False, "down", _("The database does not answer."))
        return down, PartStatus(False, "unknown", down.detail)
    database = PartStatus(True, "ok")
    if space is None and failed is not None:
        return database, PartStatus(False, "error", failed.error)
    if space is None:
        return database, PartStatus(False, "building", _("No model is active yet."))
    if space.error:
        return database, PartStatus(False, "error", space.error)
    return database, PartStatus(True, "active", space.name)


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
    """How the models encode pictures, as was found fastest when they were loaded."""
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
