"""Django's connection to PostgreSQL, with a health check that needs no query."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection is still open. Django's own check queries the server with
        each request (CONN_HEALTH_CHECKS), which takes as long as finding a token. A server
        that closes a connection writes to the socket, so a silent socket is open. Only after
        an error this queries the server."""
        if self.connection is not None and not self.errors_occurred and self._is_silent():
            return True
        return bool(super().is_usable())

    def _is_silent(self) -> bool:
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return not poll.poll(0)
