"""Valkey from a wheel: the broker of the workers and the cache of the web process.

Its data is on the disk (append-only file). It does not lock its folder itself; the launcher's
lock covers it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from clipsite.embedded.ports import HOST
from clipsite.embedded.processes import Program, write_atomically


@dataclass(frozen=True)
class Valkey:
    """One server: its program, its folder, and its connection."""

    server: Path
    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def program(self, log: Path, config: Path) -> Program:
        """Write `config` and return the server that reads it. The password must not be in the
        arguments."""
        write_atomically(config, self._configuration())
        return Program(
            name="Valkey",
            argv=[str(self.server), str(config)],
            # A locale that is not installed would prevent the start.
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            cwd=self.folder,  # where it keeps its files
            log=log,
            is_service=True,
        )

    def _configuration(self) -> str:
        lines = {
            "bind": HOST,
            "port": self.port,
            "requirepass": self.password,
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            # Keys with a lifetime belong to the cache and may be evicted; the broker's keys have
            # none.
            "maxmemory": "512mb",
            "maxmemory-policy": "volatile-lru",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def is_up(self) -> bool:
        """Whether the server answers PING. It does not while it loads its file."""
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return b"+PONG" in _read_lines(connection, 2)
        except OSError:
            return False


def _read_lines(connection: socket.socket, count: int) -> bytes:
    answer = b""
    while answer.count(b"\r\n") < count and (chunk := connection.recv(1024)):
        answer += chunk
    return answer
