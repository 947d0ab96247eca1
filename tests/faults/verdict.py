"""The verdict after the faults: nothing accepted may be missing, and no work may be stuck."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.counting import BEGUN, DONE, counted
from tests.faults.uploads import Record, Taken


@dataclass
class Verdict:
    """`losses` are sentences, and any one is a failure. `facts` are for information."""

    losses: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def none_of(self, what: str, found: list[str]) -> None:
        if found:
            shown = "; ".join(found[:5])
            self.losses.append(f"{len(found)} {what}: {shown}")
        else:
            self.facts.append(f"0 {what}")


def settle(wait: Callable[[float], None], seconds: float) -> float | None:
    """Wait until no work is waiting. Return the seconds this took, or None after `seconds`."""
    started = time.monotonic()
    while waiting():
        if time.monotonic() > started + seconds:
            return None
        wait(1)
    return time.monotonic() - started


def waiting() -> list[str]:
    from django.db import DatabaseError, connection

    from gallery.models import Analysis, Outage, ResumableUpload

    try:
        rows = Analysis.objects.filter(state="waiting").values_list(
            "analyser", "image_id", "attempts", "claimed_by", "claimed_until", "not_before",
            "reason",
        )  # fmt: skip
        found = [" ".join(map(str, row)) for row in rows]
        found += [f"away: {outage}" for outage in Outage.objects.all()]
        uploads = ResumableUpload.objects.filter(state="receiving")
        return found + [f"upload {each.pk}" for each in uploads if each.offset == each.length]
    except DatabaseError as error:
        return [f"The database does not answer: {error}"]
    finally:
        connection.close()


def judge(record: Record, faults: Path) -> Verdict:
    """Return the verdict, from the database and the storage as this process sees them."""
    from django.conf import settings

    verdict = Verdict()
    root = Path(settings.MEDIA_ROOT)
    verdict.none_of("uploads refused for good", record.refused)
    verdict.none_of(
        "originals lost", [lost for each in record.taken if (lost := _lost(each, root))]
    )
    verdict.none_of("rows stuck", waiting())
    _judge_analyses(verdict)
    _judge_results(verdict, root)
    _judge_counts(verdict, record)
    _judge_encodings(verdict, faults)
    return verdict


def _lost(taken: Taken, root: Path) -> str | None:
    from gallery.models import Image

    image = Image.objects.filter(pk=taken.image_id, deleted_at=None).first()
    if image is None:
        return f"{taken.image_id} of {taken.owner} has no row"
    path = root / str(image.file.name)
    if not path.exists():
        return f"{path} is not there"
    if hashlib.sha256(path.read_bytes()).hexdigest() != taken.sha256:
        return f"{path} has other bytes"
    return None


def _judge_analyses(verdict: Verdict) -> None:
    from gallery.models import Analysis

    failed = Analysis.objects.filter(state="failed")
    verdict.none_of(
        "analyses failed",
        [f"{row.analyser} of {row.image_id}: {row.reason_code} {row.reason!r}" for row in failed],
    )
    tries = Counter(Analysis.objects.filter(state="done").values_list("analyser", "attempts"))
    for (analyser, attempts), count in sorted(tries.items()):
        if attempts != 1:
            verdict.facts.append(f"{analyser}: {count} rows done with {attempts} tries counted")


def _judge_results(verdict: Verdict, root: Path) -> None:
    from gallery.indexing.spaces import active_space
    from gallery.library import renditions
    from gallery.library.storage import rendition_path_of
    from gallery.models import Image

    there = Image.objects.filter(deleted_at=None)
    space = active_space()
    blind = there.exclude(embeddings__space=space)
    verdict.none_of("pictures without a vector", [str(image.pk) for image in blind])
    verdict.none_of(
        "renditions missing",
        [
            name
            for image in there
            for width in renditions.widths_of(image)
            if not (root / (name := rendition_path_of(image.pk, width))).exists()
        ],
    )
    unseen = there.filter(perceptual_hash=None) | there.filter(placeholder="")
    verdict.none_of("pictures without looks", [str(image.pk) for image in unseen])


def _judge_counts(verdict: Verdict, record: Record) -> None:
    from gallery.models import Image

    named = Counter(Image.objects.values_list("owner_id", "sha256"))
    verdict.none_of("pictures twice", [str(key) for key, count in named.items() if count > 1])
    known = {sha256 for _owner, sha256 in named}
    verdict.facts.append(
        f"{len(record.begun)} pictures sent, {len(record.taken)} taken,"
        f" {len(known & record.begun)} kept; the longest took {record.longest:.0f} s"
    )
    answers = ", ".join(f"{count} × {answer}" for answer, count in record.answers.most_common(12))
    verdict.facts.append(f"tried again after: {answers or 'nothing'}")


def _judge_encodings(verdict: Verdict, faults: Path) -> None:
    """Report how many encodings the model repeated, begun and done ones."""
    for word in (BEGUN, DONE):
        counts = counted(faults, word)
        total, once = counts.total(), len(counts)
        again = 100 * (total - once) / max(once, 1)
        verdict.facts.append(f"encodings {word}: {total} of {once} pictures, {again:.1f} % again")
