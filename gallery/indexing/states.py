"""The index state of pictures: whether they can be found. Lists show it, and administrators
see the counts."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeVar

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat

from gallery.indexing.encoding import name_of, target_spaces
from gallery.models import Analysis, EmbeddingSpace, Image
from gallery.work import ledger
from gallery.work.analyser import wanted

ImageQS = TypeVar("ImageQS", bound=QuerySet[Image])

State = Analysis.State


def with_state(images: ImageQS) -> ImageQS:
    """Annotate `index_state` ("pending", "ready" or "failed") and `index_error`, for the active
    space or, before there is one, the space that is being built."""
    space = (
        target_spaces()
        .annotate(analyser=Concat(Value("encoding-"), Cast("pk", CharField())))
        .values("analyser")[:1]
    )
    row = Analysis.objects.filter(image=OuterRef("pk"), analyser__in=space)
    state = Case(
        When(state=State.DONE, then=Value("ready")),
        When(state=State.WAITING, then=Value("pending")),
        default=F("state"),
        output_field=CharField(),
    )
    # The first line is for the owner (translate it to show it), the rest for the log.
    reason = Func("reason", Value("\n"), Value(1), function="split_part", output_field=CharField())
    return images.annotate(
        index_state=Coalesce(Subquery(row.values(s=state)[:1]), Value("pending")),
        index_error=Coalesce(Subquery(row.values(e=reason)[:1]), Value("")),
    )


def in_state(state: str) -> Any:
    """A condition on pictures for one index state: "pending", "ready" or "failed". It queries
    the ledger as a whole, not once for each picture."""
    space = target_spaces().first()
    rows = Analysis.objects.filter(analyser=name_of(space) if space else "")
    if state == "ready":
        return Q(pk__in=rows.filter(state=State.DONE).values("image_id"))
    if state == "failed":
        return Q(pk__in=rows.filter(state=State.FAILED).values("image_id"))
    return ~Exists(rows.filter(image=OuterRef("pk")).exclude(state=State.WAITING))


def counts(space: EmbeddingSpace) -> Counter[str]:
    """How many rows of `space` are in each state of the ledger."""
    rows = Analysis.objects.filter(analyser=name_of(space))
    return Counter(dict(rows.values_list("state").annotate(Count("id"))))


def waiting(space: EmbeddingSpace) -> QuerySet[Analysis]:
    """The rows that are still to be encoded in `space`, claimed or not, without the trash."""
    return ledger.waiting(name_of(space))


def failures(image: Image) -> list[Analysis]:
    """The failed rows of a picture that matter to its owner, without those that failed only
    because an earlier step failed. The encoding in the active space comes first."""
    failed = image.analyses.filter(state=State.FAILED).exclude(reason_code="needs")
    rows = list(failed.filter(analyser__in=[each.name for each in wanted()]))
    if not rows:
        return []
    names = [name_of(space) for space in target_spaces()]
    serving, others = names[:1], names[1:]
    missed = [row for row in rows if row.analyser not in others]
    return sorted(missed, key=lambda row: row.analyser not in serving)
