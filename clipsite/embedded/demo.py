"""`make demo`: starts all parts of Clipsite on one machine."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket
from typing import NoReturn

from clipsite.embedded import ports
from clipsite.embedded.console import say
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.folder import DataFolder, only_launcher, open_folder
from clipsite.embedded.interrupts import Interrupted
from clipsite.embedded.processes import write_atomically
from clipsite.embedded.programs import application_programs, manage
from clipsite.embedded.services import Services, start_services
from clipsite.embedded.supervisor import Supervisor, end_of

_WEB_SECONDS = 60.0
_MODEL_SECONDS = 180.0


def run_demo(data_dir: Path, port: int, photos: Path | None) -> NoReturn:
    """Start everything, print `Ready: URL`, and supervise it until interrupted.

    The pictures in the folder `photos` are imported into the account demo.
    """
    if photos is not None and not photos.expanduser().is_dir():
        raise LaunchError(f"There is no folder {photos} to import pictures from (PHOTOS=).")
    folder = open_folder(data_dir)
    with (
        only_launcher(folder) as address_file,
        # A server that was killed a moment ago may still hold the port.
        ports.listen(port, patience=2.0) as listener,
        Supervisor(folder.run, say) as supervisor,
    ):
        actual_port = listener.getsockname()[1]
        if actual_port != port:
            say(f"Port {port} is taken; using {actual_port}.")
        address_file.write_text(f"http://{ports.HOST}:{actual_port}")
        try:
            _start(folder, supervisor, listener, photos)
            supervisor.serve()
        except Interrupted:
            say("Stopping …")
            raise


def _start(
    folder: DataFolder, supervisor: Supervisor, listener: socket, photos: Path | None
) -> None:
    say(f"Data folder: {folder.root}")
    services = start_services(folder, supervisor)
    say(
        f"PostgreSQL is up on port {services.postgres.port}, Valkey on port {services.valkey.port}."
    )
    env = _environment(services)
    _prepare(folder, supervisor, env)
    for slug, program in application_programs(folder, env, listener.fileno()).items():
        supervisor.start(program, slug)
    _offer_environment(folder, env)
    say("The web server and the workers are starting; the model takes some seconds.")
    if photos is not None:
        _import_photos(supervisor, env, photos)
    _await_ready(supervisor, listener.getsockname()[1])
    say("Sign in as demo, password demo-demo (unless you changed it). Ctrl-C stops all.")


def _environment(services: Services) -> dict[str, str]:
    """The environment of the application. The caller's environment overrides it, except our
    secrets and addresses."""
    folder = services.folder
    return {
        "EMAIL_URL": "filemail://",
        "EMAIL_FILE_PATH": str(folder.root / "mail"),
        "STATIC_ROOT": str(folder.root / "static"),
        # Only this machine reaches the demo, so low limits would only hinder its user.
        "THROTTLE_LOGIN": "600/min",
        "PYTHONUNBUFFERED": "1",
        **services.environment(),
        # The demo speaks plain HTTP to this machine, whatever an .env file says.
        "HTTPS": "0",
        # The caller's environment may contain that of another project.
        "DJANGO_SETTINGS_MODULE": "clipsite.settings",
    }


def _offer_environment(folder: DataFolder, env: Mapping[str, str]) -> None:
    """Write the file by which `make manage` reaches the running services. `only_launcher`
    removes it."""
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_DIR", "STATIC_ROOT", "EMAIL_URL")
    write_atomically(folder.environment, "".join(f"{name}={env[name]}\n" for name in names))


def _prepare(folder: DataFolder, supervisor: Supervisor, env: Mapping[str, str]) -> None:
    """Create tables, static files, the first embedding space, the account and sample pictures."""
    log = folder.log("setup")
    say("Preparing the database …")
    if supervisor.run(manage("prepare_demo", env=env, log=log)) != 0:
        raise LaunchError("The database could not be prepared. " + end_of(log, lines=20))


def _import_photos(supervisor: Supervisor, env: Mapping[str, str], photos: Path) -> None:
    """Import the user's own pictures. The demo runs even if some are refused."""
    source = str(photos.expanduser().resolve())
    if supervisor.run(manage("import_images", source, "--owner", "demo", env=env)) != 0:
        say(
            "Some files were not imported; the reasons are above. "
            "Start again with PHOTOS= to go on."
        )


def _await_ready(supervisor: Supervisor, port: int) -> None:
    """Print the address once a user can search, or with a warning after a time limit."""
    if not supervisor.wait_for(lambda: _answers(port, "/api/v1/health/"), _WEB_SECONDS):
        say("The web server does not answer yet, see the folder logs of the data folder.")
    elif not supervisor.wait_for(
        lambda: _answers(port, "/api/v1/ready/"), _MODEL_SECONDS, pause=0.5
    ):
        say("The model is still loading: pictures can be uploaded and are searchable later.")
    say(f"Ready: http://{ports.HOST}:{port}")


def _answers(port: int, path: str) -> bool:
    """Whether the web server answers 200. This connects directly: urllib would use a proxy of
    the environment, which cannot reach this machine."""
    connection = HTTPConnection(ports.HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):  # refused, timed out, cut off
        return False
    finally:
        connection.close()
