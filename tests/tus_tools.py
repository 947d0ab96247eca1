"""A client of the tus protocol for the tests."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from gallery.models import ResumableUpload, User
from tests.conftest import api

UPLOADS = "/api/v1/uploads/"
TUS = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"


def metadata(**values: str) -> str:
    return ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items()
    )


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


class Client:
    """Somebody who uploads, through Django's test client."""

    def __init__(self, user: User | None) -> None:
        self.api = api(user)

    def create(self, length: int, headers: dict[str, str] | None = None, **wishes: str) -> Any:
        given = {"Upload-Length": str(length), "Upload-Metadata": metadata(**wishes)}
        return self.api.post(UPLOADS, headers={**TUS, **given, **(headers or {})})

    def begin(self, length: int, **wishes: str) -> str:
        """Begin an upload. Return its address."""
        answer = self.create(length, **wishes)
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def send(self, url: str, offset: int, data: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.generic(
            "PATCH", url, data, PART, headers={**TUS, "Upload-Offset": str(offset), **named}
        )

    def offset(self, url: str) -> int:
        answer = self.api.head(url, headers=TUS)
        assert answer.status_code == 200, answer.content
        return int(answer["Upload-Offset"])

    def state(self, url: str) -> dict[str, Any]:
        answer = self.api.get(url)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def upload(self, data: bytes, **wishes: str) -> dict[str, Any]:
        """Upload everything in one part. Return the response."""
        url = self.begin(len(data), **wishes)
        answer = self.send(url, 0, data)
        assert answer.status_code == 204, answer.content
        return self.state(url)


def row_of(url: str) -> ResumableUpload:
    return ResumableUpload.objects.get(pk=url.rstrip("/").rpartition("/")[2])
