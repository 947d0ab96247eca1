"""Starts PostgreSQL and Valkey for one data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass

from clipsite.embedded.binaries import postgres_install, valkey_server
from clipsite.embedded.credentials import Credentials, load_or_create
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.folder import DataFolder
from clipsite.embedded.placement import place_cluster, place_programs
from clipsite.embedded.ports import free_port
from clipsite.embedded.postgres import Postgres
from clipsite.embedded.privileges import database_account
from clipsite.embedded.supervisor import Supervisor
from clipsite.embedded.valkey import Valkey

_POSTGRES_PORT = 54320
_VALKEY_PORT = 63790
_START_SECONDS = 120.0  # recovery after a crash, on a slow disk


@dataclass(frozen=True)
class Services:
    """The two running services and the secrets of their data folder."""

    folder: DataFolder
    credentials: Credentials
    postgres: Postgres
    valkey: Valkey

    def environment(self) -> dict[str, str]:
        """This process's environment with the addresses that Django's settings read."""
        return dict(os.environ) | self.variables()

    def variables(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "SECRET_KEY": self.credentials.secret_key,
            "DATA_DIR": str(self.folder.root),
        }


def start_services(folder: DataFolder, supervisor: Supervisor, *, durable: bool = True) -> Services:
    """Start both services and wait until they answer.

    The caller holds the folder's lock. `durable=False` trades crash safety for speed, for
    folders that are deleted afterwards.
    """
    credentials = load_or_create(folder.secrets)
    account = database_account()
    cluster = place_cluster(folder, account)
    postgres = Postgres(
        install=place_programs(postgres_install(), cluster.parent, account),
        cluster=cluster,
        port=free_port(_POSTGRES_PORT if durable else 0),
        password=credentials.database_password,
        account=account,
        durable=durable,
    )
    valkey = Valkey(
        server=valkey_server(),
        folder=folder.valkey,
        port=free_port(_VALKEY_PORT if durable else 0),
        password=credentials.valkey_password,
    )
    postgres.ensure_cluster()
    supervisor.start(valkey.program(folder.log("valkey"), folder.run / "valkey.conf"), "valkey")
    supervisor.start(postgres.program(folder.log("postgres")), "postgres")
    _await(supervisor, postgres, "postgres")
    _await(supervisor, valkey, "valkey")
    postgres.ensure_database()
    return Services(folder, credentials, postgres, valkey)


def _await(supervisor: Supervisor, service: Postgres | Valkey, slug: str) -> None:
    if not supervisor.wait_for(service.is_up, _START_SECONDS, fragile=slug):
        raise LaunchError(
            f"The service {slug} did not answer within {_START_SECONDS:.0f} seconds. "
            f"Its log is in the folder logs of the data folder."
        )
