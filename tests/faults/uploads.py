"""Clients that upload all the time and repeat each upload until the server accepts it."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from random import Random
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests
from PIL import Image as PILImage

from tests.tus_tools import PART, TUS, metadata

_TIMEOUT = 90.0
_PAUSE = 0.5
_PIECES = 3
# The statuses after which a client tries again. 507: no space left; 423 and 409: busy.
_ONCE_MORE = {401, 409, 423, 429, 500, 502, 503, 504, 507}


class Again(Exception):
    """The picture is not accepted yet, for a reason that has nothing to do with it."""


class Gone(Exception):
    """The server does not know this upload."""


@dataclass(frozen=True)
class Taken:
    """A picture that the server has confirmed."""

    owner: str
    sha256: str
    image_id: str


@dataclass
class Record:
    """The clients' view. `begun` are the hashes of all sent pictures: the server may have one
    without a confirmation. `longest` is in seconds."""

    begun: set[str] = field(default_factory=set)
    taken: list[Taken] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    longest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


def drawn(rng: Random) -> bytes:
    """Return a new picture of coarse patches, as a JPEG of 3 to 300 kB."""
    patches = np.frombuffer(rng.randbytes(6 * 8 * 3), np.uint8).reshape(6, 8, 3)
    width = rng.choice((320, 640, 640, 1600))
    size = (width, width * 3 // 4)
    picture = PILImage.fromarray(patches).resize(size, PILImage.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=rng.choice((75, 90, 98)))
    return buffer.getvalue()


class People:
    """The clients. `accounts` are tokens by name. Each account has two uploads at a time."""

    def __init__(self, url: str, accounts: dict[str, str], seed: int) -> None:
        self.url, self.accounts, self.seed = url, accounts, seed
        self.record = Record()
        self.stopped = threading.Event()
        self._wanted: SimpleQueue[int] = SimpleQueue()
        self._cuts = 0
        self._threads = [
            threading.Thread(target=self._upload_all, args=(name,), daemon=True)
            for name in [*accounts, *accounts]
        ]
        for thread in self._threads:
            thread.start()

    def want(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._wanted.put(number)

    def cut(self, count: int) -> None:
        """Let the next `count` requests with a body break off in the middle."""
        self._cuts = count

    def finish(self, wait: Callable[[float], None], seconds: float) -> bool:
        """Wait for all uploads. Return whether all are accepted within `seconds`."""
        deadline = time.monotonic() + seconds
        self.stopped.set()
        while any(thread.is_alive() for thread in self._threads):
            if time.monotonic() > deadline:
                return False
            wait(0.2)
        return True

    def _upload_all(self, owner: str) -> None:
        while True:
            try:
                number = self._wanted.get(timeout=0.2)
            except Empty:
                if self.stopped.is_set():
                    return
                continue
            try:
                self._upload(owner, number)
            except Exception as error:  # the report shows it
                with self.record.lock:
                    self.record.refused.append(f"picture {number}: {error!r}")

    def _upload(self, owner: str, number: int) -> None:
        rng = Random(f"{self.seed}/{number}")
        data = drawn(rng)
        sha256 = hashlib.sha256(data).hexdigest()
        with self.record.lock:
            self.record.begun.add(sha256)
        upload = _Upload(self, owner, data, f"picture-{number}.jpg")
        way = rng.choice((upload.simply, upload.in_parts))
        started = time.monotonic()
        while True:
            try:
                image_id = way()
            except (Again, requests.RequestException, OSError) as reason:
                self._count(f"{reason}" if isinstance(reason, Again) else type(reason).__name__)
                time.sleep(_PAUSE)
            else:
                break
        with self.record.lock:
            self.record.taken.append(Taken(owner, sha256, image_id))
            self.record.longest = max(self.record.longest, time.monotonic() - started)

    def _count(self, answer: str) -> None:
        with self.record.lock:
            self.record.answers[answer] += 1

    def is_to_cut(self) -> bool:
        with self.record.lock:
            self._cuts -= 1
            return self._cuts >= 0


class _Upload:
    """The upload of one picture by one account."""

    def __init__(self, people: People, owner: str, data: bytes, name: str) -> None:
        self.people, self.data, self.name = people, data, name
        self.api = f"{people.url}/api/v1"
        self.headers = {"Authorization": f"Token {people.accounts[owner]}"}
        self.address: str | None = None

    def simply(self) -> str:
        request = requests.Request(
            "POST",
            f"{self.api}/images/",
            files={"file": (self.name, self.data, "image/jpeg")},
            headers=self.headers,
        ).prepare()
        return str(self._sent(request, 200, 201).json()["id"])

    def in_parts(self) -> str:
        """Upload in parts (tus). If the server has lost the upload, begin anew."""
        if self.address is None:
            wishes = {"Upload-Length": str(len(self.data)), "Upload-Metadata": self._metadata()}
            made = self._asked("POST", f"{self.api}/uploads/", wishes, 201)
            # The server may name another host than the one that the client uses.
            self.address = self.people.url + urlsplit(made.headers["Location"]).path
        offset = int(self._asked("HEAD", self.address, {}, 200).headers["Upload-Offset"])
        while offset < len(self.data):
            part = self.data[offset : offset + len(self.data) // _PIECES + 1]
            given = {"Upload-Offset": str(offset), "Content-Type": PART}
            self._asked("PATCH", self.address, given, 204, part)
            offset += len(part)
        state = self._asked("GET", self.address, {}, 200).json()
        if state["state"] == "receiving":
            raise Again("whole, but not a picture yet")
        if state["image"] is None:
            raise RuntimeError(f"Refused: {state}")
        return str(state["image"]["id"])

    def _metadata(self) -> str:
        return metadata(filename=self.name)

    def _asked(
        self, method: str, url: str, headers: dict[str, str], good: int, data: bytes = b""
    ) -> requests.Response:
        given = {**self.headers, **TUS, **headers}
        request = requests.Request(method, url, headers=given, data=data).prepare()
        try:
            return self._sent(request, good)
        except Gone:
            self.address = None
            raise Again("the upload is gone") from None

    def _sent(self, request: requests.PreparedRequest, *good: int) -> requests.Response:
        if request.body and self.people.is_to_cut():
            _break_off(request)
            raise Again("cut off")
        with requests.Session() as session:
            answer = session.send(request, timeout=_TIMEOUT)
        if answer.status_code in good:
            return answer
        if answer.status_code in (404, 410) and request.method != "POST":
            raise Gone
        if answer.status_code in _ONCE_MORE:
            raise Again(f"{request.method} {answer.status_code} {_code_of(answer)}")
        raise RuntimeError(f"{request.method} {answer.status_code}: {answer.text[:300]}")


def _code_of(answer: requests.Response) -> str:
    try:
        found: Any = answer.json()
        return str(found["errors"][0]["code"])
    except (ValueError, LookupError, TypeError):
        return ""


def _break_off(request: requests.PreparedRequest) -> None:
    """Send half of the body and close the socket."""
    where = urlsplit(str(request.url))
    body: Any = request.body
    head = f"{request.method} {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n" + "".join(
        f"{name}: {value if isinstance(value, str) else value.decode()}\r\n"
        for name, value in request.headers.items()
    )
    with socket.create_connection((str(where.hostname), int(where.port or 80)), 10) as connection:
        connection.sendall(head.encode() + b"\r\n" + body[: len(body) // 2])
