"""The content security policy, which depends on the address."""

from __future__ import annotations

from functools import cache
from typing import Any

from csp.constants import HEADER, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

# The admin's pages use Alpine, which compiles the expressions in their attributes. None of these
# contains user input.
_ADMINISTRATION = {"script-src": UNSAFE_EVAL}


class PolicyMiddleware(CSPMiddleware):
    """One policy for all pages, with additions for the admin."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.get("Content-Type") == "application/json":
            response.headers.setdefault(HEADER, _policy_of_data())
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, *args, **kwargs)
        if request.path_info.startswith(reverse("admin:index")):
            parts.update = {**(parts.update or {}), **_ADMINISTRATION}
        return parts


@cache
def _policy_of_data() -> str:
    """The policy of a page without inline scripts, for all JSON answers. It is built once:
    building it took a quarter of the time of the shortest answers."""
    return build_policy()
