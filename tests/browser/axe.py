"""axe-core on a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Rules besides WCAG: landmarks with different names, headings without gaps, one h1.
ALL_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
CONTRAST_ALONE = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}


def violations(page: Page, options: dict[str, Any], within: str = "html") -> list[dict[str, Any]]:
    """Return the violations that axe-core finds inside the element `within`. Its script is loaded
    once for each page."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    run = "([within, options]) => axe.run(within, options)"
    found: list[dict[str, Any]] = page.evaluate(run, [within, options])["violations"]
    return found
