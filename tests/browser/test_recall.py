"""The recall page of the administrators in a real browser: the button, the progress while a worker
measures, and the figures, which appear without a reload."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from gallery import task_names
from gallery.models import RecallMeasurement, User
from tests.browser.conftest import PASSWORD, Site
from tests.factories import make_space

State = RecallMeasurement.State


def figures(text: float, image: float) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "scope": scope, "pictures": 90_000, "queries": 100, "recall": value,
         "worst": 0.7, "none": 0.0, "exact": 0.0, "ms": 3.25}
        for scope in ("public", "owner", "member", "narrow")
        for kind, value in (("text", text), ("image", image))
    ]  # fmt: skip


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_measuring_from_the_button_to_the_figures(site: Site, dispatched: list[Any]) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", PASSWORD)
    space = make_space()
    for week in range(8):
        kept = RecallMeasurement.objects.create(
            space=space, state=State.DONE, figures=figures(0.985 - week * 0.004, 0.995)
        )
        RecallMeasurement.objects.filter(pk=kept.pk).update(
            created_at=timezone.now() - timedelta(weeks=9 - week)
        )
    site.enter(boss)
    page = site.open(reverse("admin:gallery_recallmeasurement_changelist"))
    expect(page.locator("#recall svg circle")).to_have_count(16)
    expect(page.get_by_text("too low").first).to_be_visible()
    shots = os.environ.get("SHOTS")
    if shots:
        page.screenshot(path=f"{shots}/recall.png", full_page=True)
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_role("status")).to_contain_text("waits for a worker")
    assert dispatched == [(task_names.MEASURE_RECALL,)]
    RecallMeasurement.objects.filter(state=State.WAITING).update(
        state=State.RUNNING, figures=figures(0.999, 0.999)[:3]
    )
    expect(page.get_by_role("status")).to_contain_text("3 figures so far")
    RecallMeasurement.objects.filter(state=State.RUNNING).update(
        state=State.DONE, figures=figures(0.999, 0.999), finished_at=timezone.now()
    )
    expect(page.get_by_role("button", name="Measure now")).to_be_visible()
    expect(page.locator("#recall svg circle")).to_have_count(18)
    expect(page.locator("#recall").get_by_text("too low")).to_have_count(0)
    if shots:
        page.set_viewport_size({"width": 320, "height": 700})
        page.screenshot(path=f"{shots}/recall-320.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.reload()
        page.screenshot(path=f"{shots}/recall-dark.png", full_page=True)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_on_a_phone_the_recall_is_seen_and_the_axis_can_be_read(site: Site) -> None:
    boss = User.objects.create_superuser("boss", "boss@example.org", PASSWORD)
    space = make_space()
    for text in (0.95, 0.96):
        RecallMeasurement.objects.create(space=space, state=State.DONE, figures=figures(text, 1.0))
    site.enter(boss)
    site.page.set_viewport_size({"width": 390, "height": 800})
    page = site.open(reverse("admin:gallery_recallmeasurement_changelist"))
    for label in page.locator("#recall [data-axis] span").all():
        box = label.bounding_box()
        assert box
        assert box["height"] >= 12
        assert box["x"] >= 0
    boxes = [cell.bounding_box() for cell in page.locator("#recall td span").all()]
    assert len(boxes) == 12  # eight figures, four of them too low
    for box in boxes:
        assert box
        assert box["x"] + box["width"] <= 370
        assert box["height"] < 30, "on one line"
    page.set_viewport_size({"width": 1280, "height": 800})
    for cell in page.locator("#recall td span").all():
        box = cell.bounding_box()
        assert box
        assert box["height"] < 30
