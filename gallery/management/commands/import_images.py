"""`manage.py import_images FOLDER --owner USER`: a folder of pictures into an account."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from gallery.errors import Refusal
from gallery.library.service import add_image
from gallery.models import Image, User

# What file managers leave behind.
_LITTER = {"thumbs.db", "desktop.ini"}


@dataclass
class Tally:
    """What became of the files of one import."""

    added: int = 0
    duplicates: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)


class Command(BaseCommand):
    help = (
        "Import every picture in a folder and the folders in it. Pictures that the account "
        "already has are skipped, so an import that was interrupted can be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--owner", required=True, help="user name of the account")
        parser.add_argument(
            "--visibility", choices=Image.Visibility.values, default=Image.Visibility.PRIVATE
        )

    def handle(self, *, folder: Path, owner: str, visibility: str, **options: object) -> None:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        account = User.objects.filter(username=owner).first()
        if account is None:
            raise CommandError(f"There is no account {owner}.")
        tally = Tally()
        files = list(files_in(folder))
        for path in tqdm(files, desc="Importing", unit="picture"):
            import_file(path, account, visibility, tally)
        for path, reason in tally.refused:
            self.stderr.write(f"Not imported: {path.relative_to(folder)}: {reason}")
        self.stdout.write(
            f"Added {tally.added}, already there {tally.duplicates}, "
            f"not imported {len(tally.refused)}."
        )


def files_in(folder: Path) -> Iterator[Path]:
    """Every file below `folder` in a stable order, without hidden ones and litter.

    A broken link counts as a file, so that it is reported; a pipe or device does not.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            is_wanted = not name.startswith(".") and name.lower() not in _LITTER
            if is_wanted and (path.is_file() or not path.exists()):
                yield path


def import_file(path: Path, owner: User, visibility: str, tally: Tally) -> None:
    """Import one file and count what became of it.

    A file that cannot be read or is refused does not stop the others. Whatever else
    goes wrong (the database, a full disk) concerns them all, and stops the import.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        tally.refused.append((path, error.strerror or str(error)))
        return
    with file:
        try:
            upload = add_image(owner=owner, file=file, name=path.name, visibility=visibility)
        except Refusal as refusal:
            tally.refused.append((path, str(refusal)))
            return
    if upload.duplicate:
        tally.duplicates += 1
    else:
        tally.added += 1
