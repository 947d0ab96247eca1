"""Exits 0 when the role that runs in this container works, 1 with a reason if not.

python -m deploy.healthcheck web|media|chores|encoder|beat
"""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

BEAT_SCHEDULE = Path("/tmp/beat-schedule")  # noqa: S108  (see entrypoint.sh)
# Beat writes its schedule to disk every three minutes.
BEAT_SILENCE_SECONDS = 600
HEALTH_URL = "http://127.0.0.1:8000/api/v1/health/"


def web() -> str:
    """Why the web server does not work, or an empty text."""
    host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
    # The request to this container needs a host name that Django accepts, and the header of
    # the proxy for HTTPS: otherwise Django would redirect it.
    request = urllib.request.Request(
        HEALTH_URL,
        headers={"Host": host if host != "*" else "web", "X-Forwarded-Proto": "https"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return "" if response.status == 200 else f"{HEALTH_URL} answers {response.status}"
    except OSError as error:
        return f"{HEALTH_URL}: {error}"


def worker(role: str) -> str:
    """Why the Celery worker of `role` on this host does not work, or an empty text."""
    from clipsite.celery import app

    name = f"{role}@{socket.gethostname()}"
    answers = app.control.inspect(destination=[name], timeout=5).ping() or {}
    return "" if name in answers else f"{name} does not answer"


def beat() -> str:
    """Why the scheduler does not work, or an empty text."""
    # The schedule may be one file or, depending on dbm, several with a suffix.
    written = [path.stat().st_mtime for path in BEAT_SCHEDULE.parent.glob(BEAT_SCHEDULE.name + "*")]
    if not written:
        return f"there is no {BEAT_SCHEDULE}"
    silence = time.time() - max(written)
    return "" if silence < BEAT_SILENCE_SECONDS else f"beat is silent for {silence:.0f} seconds"


def main() -> int:
    role = sys.argv[1]
    checks = {"web": web, "beat": beat}
    reason = checks[role]() if role in checks else worker(role)
    if reason:
        print(reason, file=sys.stderr)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
