"""`manage.py prepare_demo`: what has to be there before the demo's web server starts."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from gallery.indexing.spaces import ensure_first_space
from gallery.library.samples import load_samples
from gallery.models import User


class Command(BaseCommand):
    help = (
        "Prepare a demo on this machine: tables, static files, the first embedding space and, "
        "in an empty installation, the account demo with sample pictures. Safe to repeat."
    )
    # It makes what the checks look for.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", default="demo")
        parser.add_argument("--password", default="demo-demo")

    def handle(self, *, username: str, password: str, **options: object) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        collect_static_files()
        ensure_first_space()
        create_first_account(username, password)
        account = User.objects.filter(username=username).first()
        if account is not None:
            load_samples(account, Path(settings.DATA_DIR) / "samples.json")


@transaction.atomic
def create_first_account(username: str, password: str) -> bool:
    """Create a superuser if nobody has an account; whether it was created.

    Never after that: the owner of the installation may have deleted the account, or
    given it another password.
    """
    if User.objects.exists():
        return False
    User.objects.create_superuser(username=username, password=password)
    return True


def collect_static_files() -> bool:
    """Collect, hash and compress the static files if any has changed since the last
    time; whether it was done. It takes seconds, and a restart should not."""
    target = Path(settings.STATIC_ROOT)
    stamp = target.with_name(target.name + ".fingerprint")
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint and target.is_dir():
        return False
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)
    return True


def static_fingerprint() -> str:
    """A digest of the name, size and time of every static file, and of the storage."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
