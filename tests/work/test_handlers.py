"""Requests as the web server passes them on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.test import Client

from clipsite.handlers import WebHandler
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db

# Codecs of Python that encode no text, or cannot read every byte.
NO_TEXT = ["rot13", "zlib", "bz2", "base64", "hex", "uu", "quopri", "idna", "undefined", "nothing"]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Django's own client makes requests unlike those of the server."""
    monkeypatch.setattr("django.test.client.WSGIRequest", WebHandler.request_class)
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
def test_the_server_reads_requests_so(module: str) -> None:
    """It runs in a separate process: the server configures itself for this."""
    code = f"from clipsite.{module} import application as a; print(a.request_class.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split()[-1:] == [f"Readable{module.upper()}Request"], done.stderr


@pytest.mark.parametrize("charset", NO_TEXT)
def test_a_charset_that_is_none_counts_as_none(client: Client, charset: str) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        content_type = f"{kind}; charset={charset}"
        assert client.generic("GET", "/?q=a%ff", b"", content_type).status_code == 200
    json = f"application/json; charset={charset}"
    answer = client.generic("POST", "/api/v1/search/parse/", b'{"q": "a car"}', json)
    assert answer.status_code == 200
    form = f"multipart/form-data; boundary=x; charset={charset}"
    body = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\na\xff\r\n--x--\r\n'
    assert client.generic("POST", "/accounts/login/", body, form).status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "gb18030", "utf-16"])
def test_a_charset_of_text_is_used(client: Client, charset: str) -> None:
    json = f"application/json; charset={charset}"
    body = '{"q": "é"}'.encode(charset)
    answer = client.generic("POST", "/api/v1/search/parse/", body, json)
    assert answer.status_code == 200
    assert "é" in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["/users/a%00b/", "/s/%00/", "/api/v1/users/%00/", "/api/v1/shared/%00/", "/%00"]
)
def test_an_address_with_a_nul_names_nothing(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
