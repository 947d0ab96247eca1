"""Valkey from a wheel: broker of the workers and cache of the web process.

Kept on disk (append-only file). It has no lock on its folder: the launcher's lock
stands for it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from clipsite.embedded.ports import HOST
from clipsite.embedded.processes import Program, write_atomically


@dataclass(frozen=True)
class Valkey:
    """One server: its program, its folder, how it is reached."""

    server: Path
    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def program(self, log: Path, config: Path) -> Program:
        """The server reading `config`, which is written here: a password is no argument."""
        write_atomically(config, self._configuration())
        return Program(
            name="Valkey",
            argv=[str(self.server), str(config)],
            # A locale that is not installed would stop it.
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
            # What has a lifetime is cache and may go; what has none is the broker's.
            "maxmemory": "512mb",
            "maxmemory-policy": "volatile-lru",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def is_up(self) -> bool:
        """Whether the server answers a PING (it does not while it loads its file)."""
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
