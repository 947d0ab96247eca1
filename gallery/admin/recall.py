"""The recall of the live index: a button starts a measurement; the results are kept and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from gallery.admin.readonly import ReadOnlyAdmin
from gallery.admin.reasons import translated
from gallery.models import RecallMeasurement
from gallery.search.evaluation import recall

if TYPE_CHECKING:
    from gallery.models import User

State = RecallMeasurement.State
STATE_COLOURS = {
    State.WAITING: "info",
    State.RUNNING: "info",
    State.DONE: "success",
    State.FAILED: "danger",
}
KIND_NAMES = {"text": _("Words"), "image": _("Pictures")}
SCOPE_NAMES = {
    "public": _("A visitor: all public pictures"),
    "owner": _("The owner of most pictures: all they may see"),
    "member": _("The person with most shared pictures: all they may see"),
    "narrow": _("The owner of most pictures, narrowed to the newest twentieth"),
}
DRAWN = 30


@admin.register(RecallMeasurement)
class RecallAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "state_label", "space", "text_recall", "image_recall", "asked_by", "reason",
    )  # fmt: skip
    list_filter = ("state", "space")
    list_select_related = ("space", "requested_by")
    list_before_template = "admin/recall/overview.html"
    fields = (
        "state_label", "space", "asked_by", "created_at", "finished_at", "reason", "figures_table",
    )  # fmt: skip
    readonly_fields = ("state_label", "asked_by", "reason", "figures_table")

    # --- Reading ----------------------------------------------------------------

    @display(description=_("state"), label=STATE_COLOURS, ordering="state")
    def state_label(self, measurement: RecallMeasurement) -> tuple[str, str]:
        return measurement.state, measurement.get_state_display()

    @display(description=_("lowest recall, words"))
    def text_recall(self, measurement: RecallMeasurement) -> str:
        return _percent(_lowest(measurement, "text"))

    @display(description=_("lowest recall, pictures"))
    def image_recall(self, measurement: RecallMeasurement) -> str:
        return _percent(_lowest(measurement, "image"))

    @display(description=_("asked for by"))
    def asked_by(self, measurement: RecallMeasurement) -> str:
        user = measurement.requested_by
        return user.get_username() if user else gettext("the weekly measurement")

    @display(description=_("reason"))
    def reason(self, measurement: RecallMeasurement) -> str:
        return translated(measurement.error)

    @display(description=_("figures"))
    def figures_table(self, measurement: RecallMeasurement) -> str:
        return render_to_string("admin/recall/figures.html", _table(measurement))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": gettext("Recall of the index"), **self._overview(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    # --- Measuring --------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("measure/", view(self.measure), name="gallery_recall_measure"),
            path("overview/", view(self.overview), name="gallery_recall_overview"),
            *super().get_urls(),
        ]

    def has_measure_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("gallery.add_recallmeasurement")

    def measure(self, request: HttpRequest) -> HttpResponse:
        """Have a worker measure, unless a measurement is already waiting or running."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_measure_permission(request):
            raise PermissionDenied
        if recall.request(cast("User", request.user)) is None:
            text = gettext("No model is active yet: there is nothing to measure.")
            self.message_user(request, text, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:gallery_recallmeasurement_changelist"))

    def overview(self, request: HttpRequest) -> HttpResponse:
        """The part above the list. The page polls it while a worker measures."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = render(request, self.list_before_template, self._overview(request))
        if response.status_code == 200 and not recall.is_waiting():
            response["HX-Refresh"] = "true"  # the list below has a new row, too
        return response

    def _overview(self, request: HttpRequest) -> dict[str, Any]:
        measurements = RecallMeasurement.objects.select_related("space")
        done = list(measurements.filter(state=State.DONE, figures__0__isnull=False)[:DRAWN])
        return {
            "running": measurements.filter(state__in=recall.OPEN).first(),
            "chart": Chart.from_measurements(done[::-1]) if done else None,
            "latest": _table(done[0]) if done else None,
            "may_measure": self.has_measure_permission(request),
            "enough": _percent(recall.ENOUGH),
        }


def _lowest(measurement: RecallMeasurement, kind: str) -> float | None:
    found = [figure["recall"] for figure in measurement.figures if figure["kind"] == kind]
    return min(found, default=None)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _table(measurement: RecallMeasurement) -> dict[str, Any]:
    """The figures as `rows` of texts, and whether all searches were exact."""
    rows = [
        {
            "scope": SCOPE_NAMES.get(figure["scope"], figure["scope"]),
            "kind": KIND_NAMES.get(figure["kind"], figure["kind"]),
            "pictures": figure["pictures"],
            "queries": figure["queries"],
            "recall": _percent(figure["recall"]),
            "is_low": figure["recall"] < recall.ENOUGH,
            "worst": _percent(figure["worst"]),
            "none": _percent(figure["none"]),
            "way": _way(figure["exact"]),
            "ms": f"{figure['ms']:.1f}",
        }
        for figure in measurement.figures
    ]
    exact = all(figure["exact"] == 1 for figure in measurement.figures)
    return {"rows": rows, "is_exact": exact, "measurement": measurement}


def _way(exact: float) -> str:
    if exact in (0, 1):
        return gettext("exact") if exact else gettext("index")
    return gettext("exact for %(share)s") % {"share": _percent(exact)}


# --- The chart --------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """The lowest recall of each measurement, the oldest first. x is in percent of the width, so
    that the chart fits any screen; y is in pixels of an SVG of HEIGHT. `enough` is the y of the
    line above which the figures should stay, `floor` the y of the lower edge, and `bottom` the
    recall at the lower edge."""

    HEIGHT = 200
    LEFT, RIGHT, TOP, BELOW = 2, 2, 12, 24

    series: dict[str, list[Point]]
    enough: float
    floor: int
    bottom: str

    @classmethod
    def from_measurements(cls, measurements: list[RecallMeasurement]) -> Chart:
        lowest = {
            kind: [(n, m, _lowest(m, kind)) for n, m in enumerate(measurements)]
            for kind in KIND_NAMES
        }
        known = [value for rows in lowest.values() for _n, _m, value in rows if value is not None]
        # The axis begins a little below the lowest value, to make small differences visible.
        floor = max(0.0, min([*known, recall.ENOUGH]) - 0.01)
        span = max(len(measurements) - 1, 1)

        def y(value: float) -> float:
            share = (1 - value) / (1 - floor)
            return round(cls.TOP + share * (cls.HEIGHT - cls.TOP - cls.BELOW), 1)

        def x(number: int) -> float:
            return round(cls.LEFT + number / span * (100 - cls.LEFT - cls.RIGHT), 2)

        series = {
            kind: [
                Point(x(n), y(value), f"{m.created_at:%Y-%m-%d %H:%M}: {_percent(value)}")
                for n, m, value in rows
                if value is not None
            ]
            for kind, rows in lowest.items()
        }
        return cls(series, y(recall.ENOUGH), cls.HEIGHT - cls.BELOW, _percent(floor))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines, each with its name, its points, and the segments between them."""
        return [
            {
                "kind": kind,
                "name": KIND_NAMES[kind],
                "points": points,
                "parts": list(pairwise(points)),
            }
            for kind, points in self.series.items()
        ]
