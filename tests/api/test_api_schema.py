"""The OpenAPI document and the code agree."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gallery.accounts import tokens
from gallery.api.urls import v1
from tests.api_tools import with_worker
from tests.belongings import Belongings
from tests.openapi import COMMITTED, DOCUMENT

OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Good inputs, and as many bad ones, per operation. They are the same each time: `make fuzz` looks
# for more.
EXAMPLES = 6
GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def modes(path: str, method: str) -> list[GenerationMode]:
    """There is no bad input if any text is valid, or if there is no input."""
    operation = DOCUMENT["paths"][path][method]
    can_be_bad = "requestBody" in operation or any(
        parameter["schema"] != {"type": "string"} for parameter in operation.get("parameters", [])
    )
    return [GOOD, BAD] if can_be_bad else [GOOD]


@schemathesis.serializer("application/offset+octet-stream")
def part_of_a_file(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_the_committed_document_is_that_of_the_code(tmp_path):
    """To update it: manage.py spectacular --lang en --file docs/openapi.yaml"""
    written = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(written), lang="en", validate=True, fail_on_warn=True)
    assert written.read_text() == COMMITTED.read_text()


def test_every_route_is_documented():
    routes = {"/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)) for route in v1}
    assert set(DOCUMENT["paths"]) == {route.replace("{pk}", "{id}") for route in routes}


def test_the_schema_is_served_without_the_database():
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    assert yaml.load(answer.content, Loader=yaml.CSafeLoader)["paths"] == DOCUMENT["paths"]


def test_the_documentation_page_loads_nothing_from_elsewhere(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert sources
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)


# --- Generated requests -----------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> Any:
    loaded = schemathesis.openapi.from_path(COMMITTED)
    loaded.app = get_wsgi_application()
    return loaded


@with_worker
@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [(*operation, mode) for operation in OPERATIONS for mode in modes(*operation)],
)
def test_answers_are_as_documented(path, method, mode, schema, encoder_worker, alice):
    """No generated request ends in a server error or an undocumented answer."""
    # Bad input is refused before anything is looked up.
    hers = Belongings(alice) if mode is GOOD else None
    operation = schema[path][method.upper()]
    may_sign_out = path.startswith(("/api/v1/auth/", "/api/v1/account/"))
    _, token = tokens.sign_in(alice)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        if hers and case.path_parameters:
            case.path_parameters.update(hers.of(path))
        secret = tokens.sign_in(alice)[1] if may_sign_out else token
        # Schemathesis does not unpack direct answers of an application.
        headers = {"Authorization": f"Token {secret}", "Accept-Encoding": "identity"}
        case.call_and_validate(headers=headers, checks=CHECKS)

    check()
