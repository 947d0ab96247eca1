"""The status of the map, for viewers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gallery.explore import maps
from gallery.models import ExploreMap

State = Literal["too_few", "waiting", "building", "ready", "failed"]


@dataclass(frozen=True)
class Status:
    """`map` is the map to show, or None. `progress` in [0, 1] belongs to a map that is being
    drawn, the first one or (if `state` is "ready") a new one; else it is None."""

    state: State
    map: ExploreMap | None = None
    progress: float | None = None

    @property
    def percent(self) -> int | None:
        return None if self.progress is None else round(self.progress * 100)


def status() -> Status:
    drawn, coming = maps.shown(), maps.in_the_making()
    building = coming is not None and coming.state == ExploreMap.State.BUILDING
    progress = coming.progress if coming is not None and building else None
    if drawn is not None:
        return Status("ready", drawn, progress)
    if progress is not None:
        return Status("building", progress=progress)
    if coming is not None and coming.state == ExploreMap.State.FAILED:
        return Status("failed")
    return Status("waiting" if maps.due() else "too_few")
