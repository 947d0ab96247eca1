"""What a label set has done to the pictures, and what it does now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from gallery.indexing.spaces import active_space
from gallery.labels import applying, fitting
from gallery.models import EmbeddingSpace, LabelFit, LabelJob, LabelSet
from gallery.web.lists.ago import ago


@dataclass(frozen=True)
class SetState:
    """`applied` is the job whose labels the pictures have, `last` the latest job, which may be at
    work or have undone others. `notes` are sentences on what differs from the labels by now."""

    applied: LabelJob | None
    last: LabelJob | None
    notes: tuple[str, ...] = ()

    @property
    def running(self) -> LabelJob | None:
        """The job that waits for a worker or is at work."""
        return self.last if self.last is not None and self.last.state in applying.OPEN else None

    @property
    def percent(self) -> int:
        """How much of the running job is done."""
        job = self.running
        return 0 if job is None or not job.total else min(100 * job.done // job.total, 100)

    @property
    def is_undoing(self) -> bool:
        return self.running is not None and self.running.kind == LabelJob.Kind.UNDO

    @property
    def problem(self) -> str:
        """Why a job whose work the pictures show has ended early; or empty."""
        if self.running is not None:
            return ""
        jobs = [self.applied]
        if self.last is not None and self.last.kind == LabelJob.Kind.UNDO:
            jobs.insert(0, self.last)
        return next((_(job.error) for job in jobs if job is not None and job.error), "")

    @property
    def is_up_to_date(self) -> bool:
        return self.applied is not None and not (self.problem or self.notes)

    @property
    def ago(self) -> str:
        moment = self.applied and (self.applied.finished_at or self.applied.created_at)
        return ago(moment) if moment else ""


def state_of(label_set: LabelSet) -> SetState:
    (state,) = states_of([label_set]).values()
    return SetState(state.applied, state.last, tuple(_notes(label_set, state)))


def states_of(label_sets: Sequence[LabelSet]) -> dict[UUID, SetState]:
    """Return the states of sets from `sets.with_version`, without notes."""
    jobs = LabelJob.objects.filter(label_set__in=label_sets)
    latest = jobs.order_by("label_set_id", "-created_at", "-id").distinct("label_set_id")
    last = {job.label_set_id: job for job in latest}
    return {one.pk: SetState(one.applied, last.get(one.pk)) for one in label_sets}


def _notes(label_set: LabelSet, state: SetState) -> list[str]:
    job = state.applied
    if job is None or state.running is not None or state.problem:
        return []
    if job.fit is None or job.fit.version_id != label_set.version_id:
        return [_("The set was changed since it was applied: the labels are those of before.")]
    space = active_space()
    if space is None:
        return []
    if _is_of_other_model(job.fit, space):
        return [_("The model has changed since: pictures get their labels anew in the background.")]
    newest = fitting.current(label_set, space)
    if newest is not None and newest.answers > job.fit.answers:
        return [_("The set has learned from answers since it was applied. Apply it again.")]
    if newest is not None and _thresholds(newest) != _thresholds(job.fit):
        return [_("Thresholds have changed since the set was applied. Apply it again.")]
    return []


def _is_of_other_model(fit: LabelFit, space: EmbeddingSpace) -> bool:
    return fit.space_id != space.pk or fit.checksum != space.checksum


def _thresholds(fit: LabelFit) -> list[tuple[UUID | None, float]]:
    return list(fit.vectors.order_by("position").values_list("category_id", "threshold"))
