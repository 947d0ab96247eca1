"""`manage.py import_images FOLDER --owner USER`: a folder of pictures into an account."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from gallery.errors import Refusal, Unavailable
from gallery.models import Album, Image, User
from gallery.uploads import folders
from gallery.uploads.folders import Destination, Fate, Outcome

_DEFAULT_JOBS = min(4, os.cpu_count() or 1)
_MAX_JOBS = 32


class Command(BaseCommand):
    help = (
        "Import every picture in a folder and the folders in it. What the account already has "
        "is skipped, so an import that was interrupted can be repeated. Files that are not "
        "imported are named with the reason, and the command then ends with status 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--owner", required=True, help="username of the account")
        parser.add_argument(
            "--visibility", choices=Image.Visibility.values, default=Image.Visibility.PRIVATE
        )
        parser.add_argument(
            "--album", help="title of an album of the account, made if there is none, or an id"
        )
        parser.add_argument(
            "--jobs", type=_jobs, default=_DEFAULT_JOBS, help="pictures at a time (%(default)s)"
        )

    def handle(
        self,
        *,
        folder: Path,
        owner: str,
        visibility: str,
        album: str | None,
        jobs: int,
        **options: object,
    ) -> None:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        account = User.objects.filter(username=User.normalize_username(owner)).first()
        if account is None:
            raise CommandError(f"There is no account {owner}.")
        destination = Destination(account, visibility, _album(album, account))
        paths = list(folders.files_in(folder))
        added = folders.add_files(paths, destination, jobs)
        try:
            outcomes = list(tqdm(added, total=len(paths), desc="Importing", unit="picture"))
        except Unavailable as error:
            raise CommandError(f"{error} Run the same command again to go on.") from error
        self._report(folder, outcomes)

    def _report(self, folder: Path, outcomes: list[Outcome]) -> None:
        failed = sorted(
            (outcome for outcome in outcomes if outcome.fate == Fate.FAILED),
            key=lambda outcome: outcome.path,
        )
        for outcome in failed:
            self.stderr.write(f"Not imported: {outcome.path.relative_to(folder)}: {outcome.reason}")
        count = Counter(outcome.fate for outcome in outcomes)
        self.stdout.write(
            f"Added {count[Fate.ADDED]}, already there {count[Fate.DUPLICATE]}, "
            f"not imported {count[Fate.FAILED]}."
        )
        if failed:
            raise CommandError("Some files were not imported, see above.")


def _album(name_or_id: str | None, owner: User) -> Album | None:
    try:
        return folders.find_or_make_album(name_or_id, owner) if name_or_id else None
    except Refusal as refusal:
        raise CommandError(f"--album: {refusal}") from refusal


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_JOBS):
        raise ArgumentTypeError(f"a number from 1 to {_MAX_JOBS}")
    return int(text)
