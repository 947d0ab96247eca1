"""Django's connection to PostgreSQL, which is known to be open without being asked."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the server still holds the connection. Django asks it with each request
        (CONN_HEALTH_CHECKS), which takes as long as finding a token. A server that ends says
        so to the socket: one that has nothing to read is open. After an error the server is
        asked."""
        if self.connection is not None and not self.errors_occurred and self._is_silent():
            return True
        return bool(super().is_usable())

    def _is_silent(self) -> bool:
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return not poll.poll(0)
