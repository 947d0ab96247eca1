"""Maps: their progress and errors, and an action to draw one again."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from gallery import task_names
from gallery.admin.readonly import ReadOnlyAdmin
from gallery.dispatch import on_commit
from gallery.explore import maps
from gallery.models import ExploreMap

STATE_COLOURS = {
    ExploreMap.State.WAITING: "default",
    ExploreMap.State.BUILDING: "info",
    ExploreMap.State.READY: "success",
    ExploreMap.State.FAILED: "danger",
}


@admin.register(ExploreMap)
class MapAdmin(ReadOnlyAdmin):
    list_display = ("space", "state_label", "percent", "laid_out", "built_at", "error")
    list_select_related = ("space",)
    list_display_links = None
    actions = ("draw_again",)

    @display(description=_("state"), label=STATE_COLOURS, ordering="state")
    def state_label(self, drawn: ExploreMap) -> tuple[str, str]:
        return drawn.state, drawn.get_state_display()

    @display(description=_("progress"), ordering="progress")
    def percent(self, drawn: ExploreMap) -> str:
        return f"{drawn.progress:.0%}"

    def has_draw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("gallery.change_exploremap")

    @action(description=_("Draw anew"), permissions=["draw"])
    def draw_again(self, request: HttpRequest, chosen: QuerySet[ExploreMap]) -> None:
        for drawn in chosen.select_related("space"):
            maps.draw_again(drawn.space)
        on_commit(task_names.MAINTAIN_MAP)
        self.message_user(
            request,
            gettext("The map is drawn anew. The old one stays until the new one is there."),
            messages.SUCCESS,
        )
