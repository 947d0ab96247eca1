"""What the tests of the upload page share: files to send, and what became of them."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image as PILImage
from playwright.sync_api import Page, Request

from tests.browser.holding import Held
from tests.conftest import draw

# Uploaded, whether or not an encoder runs.
KEPT = ".upload-row:is([data-state=pending], [data-state=ready])"


def row(state: str) -> str:
    return f".upload-row[data-state={state}]"


def drawn(folder: Path, count: int) -> list[Path]:
    """Small pictures, each another one."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"drawn-{number:04}.jpg"
        path.write_bytes(draw(colour=(number % 256, number // 256, 90)))
        paths.append(path)
    return paths


def large(folder: Path, name: str = "large.bmp") -> Path:
    """A picture of three parts: 8, 8 and a little more than 4 MiB."""
    width, height = 2700, 2600
    path = folder / name
    PILImage.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(path)
    return path


class Requests:
    """What the page asked the API for, as ("PATCH", "uploads/…")."""

    def __init__(self, page: Page) -> None:
        self.all: list[Request] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "/api/v1/" in request.url:
            self.all.append(request)

    def sent(self) -> list[Request]:
        """Those that carry a file, or announce one."""
        return [r for r in self.all if "/uploads/" in r.url and r.method in {"POST", "PATCH"}]

    def offsets(self) -> list[int]:
        """Where each part that was sent began."""
        return [int(r.headers["upload-offset"]) for r in self.all if r.method == "PATCH"]


def held_part(page: Page, offset: int) -> Held:
    """The part of an upload that begins at this byte."""

    def meant(request: Request) -> bool:
        return request.headers.get("upload-offset") == str(offset)

    return Held(page, "**/api/v1/uploads/*/", meant)
