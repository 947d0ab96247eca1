"""The content security policy on pages by others: the administration and the description of the
API, in both themes. `Site` collects what the browser refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from gallery.models import Image, User
from tests.browser.axe import ALL_RULES, CONTRAST_ALONE, violations
from tests.browser.conftest import PASSWORD, Site
from tests.conftest import upload
from tests.factories import make_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = ["light", "dark"]
STRICT = {
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


@pytest.fixture
def policies(site: Site) -> dict[str, set[str]]:
    """Return the directives of every opened page, by its path."""
    seen: dict[str, set[str]] = {}

    def note(answer: Any) -> None:
        if answer.request.is_navigation_request():
            policy = answer.headers.get("content-security-policy", "")
            path = answer.url.removeprefix(site.url).partition("?")[0]
            seen[path] = {part.strip() for part in policy.split(";")}

    site.page.on("response", note)
    return seen


def look_at(page: Page, look: str) -> None:
    page.emulate_media(color_scheme=look)


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", "boss@example.org", PASSWORD)


def test_the_administration(site: Site, policies: dict[str, set[str]], boss: User) -> None:
    make_space()
    upload(boss)
    site.enter(boss)
    opened = [reverse("admin:index"), reverse("admin:password_change")]
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        opened.append(reverse(f"{name}_changelist"))
        request: Any = type("Request", (), {"user": boss})()
        if model_admin.has_add_permission(request):
            opened.append(reverse(f"{name}_add"))
        for row in model._default_manager.all()[:1]:
            opened.append(reverse(f"{name}_change", args=[row.pk]))
    assert len(opened) > 15
    for path in opened:
        site.open(path)
    for path in opened:
        if path in policies:  # others redirected here
            assert policies[path] >= STRICT, path
            (scripts,) = [part for part in policies[path] if part.startswith("script-src")]
            assert "unsafe-inline" not in scripts
            assert "http" not in scripts


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_wrong_in_the_administration(site: Site, boss: User, width: int) -> None:
    make_space()
    upload(boss)
    site.enter(boss)
    site.page.set_viewport_size({"width": width, "height": 800})
    faults = []
    lists = ("image", "user", "embeddingspace", "album", "sharelink")
    for name in ("index", *(f"gallery_{model}_changelist" for model in lists), "gallery_user_add"):
        page = site.open(reverse(f"admin:{name}"))
        for theme, options in (("light", ALL_RULES), ("dark", CONTRAST_ALONE)):
            page.emulate_media(color_scheme=theme)
            faults += [
                f"{name}, {theme}: {rule['id']} {node['target']}"
                for rule in violations(page, options)
                for node in rule["nodes"]
            ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("look", LOOKS)
def test_scripts_of_the_administration(site: Site, boss: User, look: str) -> None:
    upload(boss)
    look_at(site.page, look)
    site.enter(boss)
    page = site.open(reverse("admin:gallery_image_changelist"))
    page.locator("#action-toggle, .action-select").first.check()
    assert Image.objects.count() == 1
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert is_dark is (look == "dark")


@pytest.mark.parametrize("look", LOOKS)
def test_the_description_of_the_api(site: Site, policies: dict[str, set[str]], look: str) -> None:
    look_at(site.page, look)
    page = site.open("/api/docs/")
    expect(page.get_by_role("heading", name="Clipsite API")).to_be_visible(timeout=60_000)
    operation = page.locator("#operations-status-health")
    _scroll_to(operation)
    operation.locator("button").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").first.click()
    expect(page.locator(".live-responses-table").first).to_be_visible()
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_role("heading", name="Available authorizations")).to_be_visible()
    assert policies["/api/docs/"] >= STRICT
    (scripts,) = [part for part in policies["/api/docs/"] if part.startswith("script-src")]
    assert scripts == "script-src 'self'"


def _scroll_to(operation: Locator) -> None:
    """Scroll to it. The page shows only the operations near the visible ones."""
    for _turn in range(200):
        if operation.count():
            operation.scroll_into_view_if_needed()
            return
        operation.page.mouse.wheel(0, 1000)
        operation.page.wait_for_timeout(50)
    raise AssertionError("It does not come into sight.")


def test_pages_of_our_own_take_no_evaluated_scripts(
    site: Site, policies: dict[str, set[str]]
) -> None:
    site.open("/accounts/login/")
    (scripts,) = [part for part in policies["/accounts/login/"] if part.startswith("script-src")]
    assert "unsafe" not in scripts
