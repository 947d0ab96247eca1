"""Requests that are held back, for tests of the time until the answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Request, Route

from tests.conftest import wait_for


class Held:
    """Holds back the first request to `address` that is `meant`, until `release` decides about it.
    All other requests pass."""

    def __init__(
        self,
        page: Page,
        address: str | re.Pattern[str],
        meant: Callable[[Request], bool] = lambda request: True,
    ) -> None:
        self._page = page
        self._meant = meant
        self._route: Route | None = None
        page.route(address, self._handle)

    def wait(self) -> None:
        wait_for(lambda: self._page.wait_for_timeout(50) or self._route, what="it is asked for")

    def release(self, act: Callable[[Route], None] = Route.continue_) -> None:
        assert self._route is not None
        act(self._route)

    def _handle(self, route: Route) -> None:
        if self._route is None and self._meant(route.request):
            self._route = route
        else:
            route.continue_()
