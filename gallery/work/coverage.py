"""The progress of each analyser: how many pictures are done, waiting, failed and missing.

The numbers come from the ledger. Pictures in the trash do not count: nobody works on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import connection

from gallery import checked_cache
from gallery.models import Analysis, Image
from gallery.retryable import can_pass
from gallery.work import backfill
from gallery.work.analyser import Analyser, wanted

State = Analysis.State

# The state of a picture for which an analyser has no row of its current version yet.
MISSING = "missing"
# The reason code of what failed only because an earlier step failed.
NEEDS = "needs"

# `recent` counts at most once in FRESH_SECONDS, and keeps the last count for KEPT_SECONDS.
FRESH_SECONDS = 30
KEPT_SECONDS = 3600
_FRESH, _TOTALS = "coverage:fresh", "coverage:totals"


@dataclass(frozen=True)
class Coverage:
    """Numbers of pictures for one analyser. `done`, `waiting`, `missing` and `failed` add up to
    all pictures outside of the trash."""

    analyser: str
    done: int
    waiting: int
    missing: int
    # By reason code.
    failed_by_reason: Mapping[str, int]
    # Whether every picture has a row; until then some are `missing`.
    backfill_finished: bool

    @property
    def failed(self) -> int:
        return sum(self.failed_by_reason.values())


def count() -> list[Coverage]:
    """The coverage of all wanted analysers, in their order. Reads the whole ledger once: a
    second for 300,000 pictures and five analysers."""
    analysers = wanted()
    pictures, rows = _counted(analysers)
    return [_of(analyser, pictures, rows) for analyser in analysers]


def _of(analyser: Analyser, pictures: int, rows: Mapping[tuple[str, str, str], int]) -> Coverage:
    own = {(state, code): n for (name, state, code), n in rows.items() if name == analyser.name}
    return Coverage(
        analyser=analyser.name,
        done=own.get((State.DONE, ""), 0),
        waiting=own.get((State.WAITING, ""), 0),
        missing=pictures - sum(own.values()),
        failed_by_reason={code: n for (state, code), n in own.items() if state == State.FAILED},
        backfill_finished=backfill.is_finished(analyser),
    )


def _counted(analysers: list[Analyser]) -> tuple[int, dict[tuple[str, str, str], int]]:
    """The number of pictures, and the number of rows by analyser, state and, for failed rows,
    reason. One statement reads both, so that they agree. Results of an earlier version count
    as missing until the backfill reaches them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT analyser, state, code, count(*) FROM ("
            "  SELECT known.analyser, known.state,"
            "   CASE WHEN known.state = 'failed' THEN known.reason_code ELSE '' END AS code"
            "  FROM gallery_analysis known"
            "  JOIN unnest(%s::text[], %s::smallint[]) AS wanted (name, version)"
            "   ON wanted.name = known.analyser"
            "  WHERE (known.version >= wanted.version OR known.state = 'waiting')"
            # The trash is small, and so is the join.
            "   AND NOT EXISTS (SELECT FROM gallery_image image"
            "    WHERE image.id = known.image_id AND image.deleted_at IS NOT NULL)"
            ") AS row GROUP BY analyser, state, code"
            " UNION ALL"
            " SELECT '', '', '', count(*) FROM gallery_image WHERE deleted_at IS NULL",
            [[each.name for each in analysers], [each.version for each in analysers]],
        )
        rows = {(name, state, code): number for name, state, code, number in cursor.fetchall()}
    return rows.pop(("", "", "")), rows


# --- In short -----------------------------------------------------------------------


@dataclass(frozen=True)
class Totals:
    """Numbers of rows of all analysers together, without those that failed only because an
    earlier step failed."""

    waiting: int
    failed: int


def recent() -> Totals | None:
    """The totals, counted at most once in FRESH_SECONDS however often this is called. None
    while the very first count runs."""
    if not cache.add(_FRESH, True, FRESH_SECONDS):
        return checked_cache.get(_TOTALS, _read)
    totals = _totals()
    cache.set(_TOTALS, astuple(totals), KEPT_SECONDS)
    return totals


def _read(kept: Any) -> Totals:
    waiting, failed = map(int, kept)
    return Totals(waiting, failed)


def _totals() -> Totals:
    """Count by the partial indexes of waiting and failed rows: done rows cost nothing."""
    rows = Analysis.objects.filter(
        analyser__in=[each.name for each in wanted()], image__deleted_at=None
    )
    failed = rows.filter(state=State.FAILED).exclude(reason_code=NEEDS)
    return Totals(rows.filter(state=State.WAITING).count(), failed.count())


# --- Of one picture -----------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """The state of one analyser for one picture. `reason` is a sentence for the owner, in
    English; `done_at` is the time of the last result, also while the picture waits again."""

    analyser: str
    state: str
    reason_code: str = ""
    reason: str = ""
    can_retry: bool = False
    done_at: datetime | None = None


def of_picture(image: Image) -> list[Step]:
    """One step for each wanted analyser, in their order."""
    known = {row.analyser: row for row in image.analyses.all()}
    return [_step(analyser, known) for analyser in wanted()]


def _step(analyser: Analyser, known: Mapping[str, Analysis]) -> Step:
    row = known.get(analyser.name)
    if row is None or (row.version < analyser.version and row.state != State.WAITING):
        return Step(analyser.name, MISSING, done_at=row.done_at if row else None)
    return Step(
        analyser.name,
        row.state,
        row.reason_code,
        row.sentence,
        row.state == State.FAILED and _may_help(analyser, known),
        row.done_at,
    )


def _may_help(analyser: Analyser, known: Mapping[str, Analysis]) -> bool:
    """Whether a retry may help. If an earlier step failed, that step decides."""
    row = known[analyser.name]
    if row.reason_code != NEEDS:
        return can_pass(row.reason_code)
    earlier = [known[name] for name in analyser.needs if name in known]
    return all(can_pass(each.reason_code) for each in earlier if each.state == State.FAILED)
