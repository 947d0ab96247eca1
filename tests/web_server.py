"""A real web server for the tests, and a client that can break off wherever it likes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from knox.models import AuthToken

from clipsite.embedded.ports import free_port
from gallery.models import User
from tests.conftest import ROOT, wait_for, worker_environment
from tests.tus_tools import PART, TUS, metadata

THREADS = 8


class Server:
    """gunicorn as `make demo` runs it, in a group of its own so that all of it can die
    at once."""

    def __init__(self, folder: Path) -> None:
        self.media = folder / "media"
        self.port = free_port(0)
        self.address = f"http://127.0.0.1:{self.port}"
        self.uploads = folder / "uploads"
        self._environment = worker_environment(
            self.media, DEBUG="1", UPLOAD_DIR=str(self.uploads), WEB_THREADS=str(THREADS)
        )
        self._log = folder / "web.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "clipsite.wsgi"),
                    *("-b", f"127.0.0.1:{self.port}", "-k", "gthread", "--threads", str(THREADS)),
                ],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, 30, f"the web server answers, see {self._log}")

    def kill(self) -> None:
        """kill -9, master and worker."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def peak_memory(self) -> int:
        """Of the worker, in bytes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (worker,) = children.read_text().split()
        status = Path(f"/proc/{worker}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def wait_for_file(self, url: str, size: int) -> None:
        """Until so many bytes are in the file, committed or not."""
        part = self.uploads / f"{url.rstrip('/').rpartition('/')[2]}.part"
        wait_for(
            lambda: part.exists() and part.stat().st_size >= size, what="the bytes are in the file"
        )

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/api/v1/health/", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False


class Sender:
    """A client that can break off wherever it likes."""

    def __init__(self, server: Server, user: User) -> None:
        _row, token = AuthToken.objects.create(user)
        self._server = server
        self.headers = {"Authorization": f"Token {token}", **TUS}

    def begin(self, length: int, **wishes: str) -> str:
        answer = requests.post(
            f"{self._server.address}/api/v1/uploads/",
            headers={
                **self.headers,
                "Upload-Length": str(length),
                "Upload-Metadata": metadata(**wishes),
            },
            timeout=20,
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def offset(self, url: str) -> int:
        answer = requests.head(url, headers=self.headers, timeout=20)
        assert answer.status_code == 200
        return int(answer.headers["Upload-Offset"])

    def wait_for_offset(self, url: str, offset: int) -> None:
        wait_for(lambda: self.offset(url) == offset, what=f"{offset} bytes are kept")

    def wait_until_accepted(self, url: str) -> None:
        """The request that brought the last byte may still be at it."""
        wait_for(lambda: self.state(url)["state"] == "accepted", what="it became a picture")

    def send(self, url: str, offset: int, data: Any) -> requests.Response:
        headers = {**self.headers, "Upload-Offset": str(offset), "Content-Type": PART}
        return requests.patch(url, data=data, headers=headers, timeout=60)

    def state(self, url: str) -> dict[str, Any]:
        return requests.get(url, headers=self.headers, timeout=20).json()

    def start_part(self, url: str, offset: int, announced: int, data: bytes) -> socket.socket:
        """A request that announces more than it sends, still open."""
        connection = socket.create_connection(("127.0.0.1", self._server.port))
        headers = {
            **self.headers,
            "Host": f"127.0.0.1:{self._server.port}",
            "Upload-Offset": str(offset),
            "Content-Type": PART,
            "Content-Length": str(announced),
        }
        lines = [f"PATCH {urlsplit(url).path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        return connection
