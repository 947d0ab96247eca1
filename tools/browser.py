"""The browser of tests, benchmarks and photographs."""

from __future__ import annotations

import shutil

# The headless shell draws the same pages with a third less work.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


def installed() -> str | None:
    """Return the path of the first of BROWSERS that is installed; None: Playwright's own."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)
