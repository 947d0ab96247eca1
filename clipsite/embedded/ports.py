"""Free TCP ports on 127.0.0.1."""

from __future__ import annotations

import errno
import socket
import time

from clipsite.embedded.errors import LaunchError

HOST = "127.0.0.1"
_LAST_PORT = 65535


def listen(preferred: int, attempts: int = 100, patience: float = 0.0) -> socket.socket:
    """Return a listening socket on the port `preferred`, for which this waits up to `patience`
    seconds, or on the next free port after it.

    The web server inherits the socket, so nobody can take the port after it is printed and
    before it is served.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if listener := _listen_on(preferred):
            return listener
        time.sleep(0.1)
    for port in range(preferred, min(preferred + attempts, _LAST_PORT + 1)):
        if listener := _listen_on(port):
            return listener
    raise LaunchError(
        f"No port from {preferred} to {preferred + attempts - 1} can be used on this machine. "
        "Choose another one with PORT=."
    )


def _listen_on(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    return listener


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if it is free, otherwise a port that the system chooses."""
    for candidate in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
    raise LaunchError("This machine has no free TCP port left.")
