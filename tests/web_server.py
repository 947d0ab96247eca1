"""A real web server, for what Django's test client leaves out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

from clipsite.embedded.ports import free_port
from tests.conftest import ROOT, wait_for, worker_environment

THREADS = 8


class Server:
    """gunicorn as `make demo` runs it, in its own process group, so that all of it can be killed at
    once."""

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
                    *("-b", f"127.0.0.1:{self.port}", "--threads", str(THREADS)),
                ],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, 30, f"the web server answers, see {self._log}")

    def kill(self) -> None:
        """Kill master and worker (kill -9)."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def peak_memory(self) -> int:
        """Return the peak memory of the worker in bytes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (worker,) = children.read_text().split()
        status = Path(f"/proc/{worker}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def wait_for_file(self, url: str, size: int) -> None:
        """Wait until the file has that many bytes, committed or not."""
        part = self.uploads / f"{url.rstrip('/').rpartition('/')[2]}.part"
        wait_for(
            lambda: part.exists() and part.stat().st_size >= size, what="the bytes are in the file"
        )

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/api/v1/health/", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False
