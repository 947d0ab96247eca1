"""The parts of the site: processes that can be killed, kept down and frozen."""

from __future__ import annotations

import signal
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import requests

from clipsite.embedded import ports
from clipsite.embedded.folder import DataFolder, only_launcher, open_folder
from clipsite.embedded.processes import ask, insist
from clipsite.embedded.programs import application_programs, manage
from clipsite.embedded.services import start_services
from clipsite.embedded.supervisor import Supervisor, _Child

SERVICES = ("valkey", "postgres")
APPLICATION = ("encoder", "web", "media", "chores", "beat")
PARTS = (*SERVICES, *APPLICATION)

_READY_SECONDS = 240.0
# Rate limits are off: uploads must not fail for another reason than a fault.
_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
    "THROTTLE_UPLOAD": "",
    "THROTTLE_ANONYMOUS": "",
    "HTTPS": "0",
}


class Parts(Supervisor):
    """The launcher's supervisor with two differences: it restarts a dead part always after the
    shortest pause, and it does not restart a part in `held`."""

    def __init__(self, folder: DataFolder) -> None:
        super().__init__(folder.run, self._note)
        self.folder = folder
        self.notes: list[str] = []
        self.held: set[str] = set()
        self.killed: Counter[str] = Counter()
        # Parts that ended by themselves.
        self.ended: Counter[str] = Counter()
        self._stopped: set[int] = set()

    def _note(self, text: str) -> None:
        self.notes.append(text)

    def kill(self, *slugs: str) -> None:
        """Kill parts at once with all their child processes, as a power failure does."""
        processes = [each for slug in slugs for each in self._processes(slug)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for slug in slugs:
            self._child(slug).process.wait()
        self.killed.update(slugs)

    def kill_one_of(self, slug: str, number: int) -> None:
        """Kill one of a part's processes."""
        processes = self._processes(slug)
        if processes:
            with suppress(psutil.NoSuchProcess):
                processes[number % len(processes)].kill()
            self.killed[f"one process of {slug}"] += 1

    def stop(self, slug: str) -> None:
        """Stop a part in an orderly way, as an administrator does."""
        child = self._child(slug)
        self._stopped.add(child.process.pid)
        ask(child.process, child.program)
        insist(child.process, child.program)

    @contextmanager
    def frozen(self, slug: str) -> Iterator[None]:
        """Suspend all processes of a part meanwhile."""
        processes = self._processes(slug)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):  # it ended meanwhile
                    process.resume()

    @contextmanager
    def gone(self, *slugs: str) -> Iterator[None]:
        """Do not restart these parts meanwhile."""
        self.held.update(slugs)
        try:
            yield
        finally:
            self.held.difference_update(slugs)

    def run_for(self, seconds: float) -> None:
        """Let time pass. Dead parts are restarted meanwhile."""
        self.wait_for(lambda: False, seconds)

    def _processes(self, slug: str) -> list[psutil.Process]:
        """Return all processes of a part. While it is down the list is empty."""
        process = self._child(slug).process
        if process.poll() is not None:
            return []
        first = psutil.Process(process.pid)
        return [first, *first.children(recursive=True)]

    def _child(self, slug: str) -> _Child:
        return next(child for child in self._children if child.slug == slug)

    def _notice_death(self, child: _Child) -> None:
        if child.slug in self.held or child.process.poll() is None:
            return
        if child.process.returncode != -signal.SIGKILL and child.process.pid not in self._stopped:
            self.ended[f"{child.slug} ({child.process.returncode})"] += 1
        child.failures = 0
        super()._notice_death(child)


class Site:
    """The running site. `url` is its address, and `environment` that of its programs."""

    def __init__(self, parts: Parts, url: str, environment: Mapping[str, str]) -> None:
        self.parts = parts
        self.url = url
        self.environment = environment
        self.media = Path(environment["DATA_DIR"]) / "media"
        self.faults = Path(environment["DATA_DIR"]) / "faults"

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/v1/ready/", timeout=5).status_code == 200
        except requests.RequestException:
            return False


@contextmanager
def running(folder: Path, sweep_seconds: float) -> Iterator[Site]:
    """Run all programs of the demo, with their data in `folder`."""
    data = open_folder(folder)
    with only_launcher(data), ports.listen(0) as listener, Parts(data) as parts:
        services = start_services(data, parts)
        environment = {
            **services.environment(),
            **_ENVIRONMENT,
            "CLIPSITE_SWEEP_SECONDS": str(sweep_seconds),
            "STATIC_ROOT": str(data.root / "static"),
            "PYTHONUNBUFFERED": "1",
        }
        (data.root / "faults").mkdir(exist_ok=True)
        if parts.run(manage("prepare_demo", env=environment, log=data.log("setup"))) != 0:
            raise SystemExit(f"The database could not be prepared: {data.log('setup')}")
        yield _started(parts, listener, environment)


def _started(parts: Parts, listener: socket.socket, environment: Mapping[str, str]) -> Site:
    descriptor = listener.fileno()
    for slug, program in application_programs(parts.folder, environment, descriptor).items():
        parts.start(program, slug)
    site = Site(parts, f"http://{ports.HOST}:{listener.getsockname()[1]}", environment)
    if not parts.wait_for(site.is_ready, _READY_SECONDS, pause=0.5):
        raise SystemExit(f"The site is not ready; its logs are in {parts.folder.logs}.")
    return site
