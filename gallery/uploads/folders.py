"""Imports pictures from a folder of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from django.core.files import File
from django.db import connections
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import service, texts
from gallery.library.originals import sha256_of
from gallery.library.storage import is_stored, original_of
from gallery.models import Album, Image, User
from gallery.organising import albums
from gallery.uploads import metadata
from gallery.uploads.album_target import put_into_album

# Files that file managers create.
_LITTER = {"thumbs.db", "desktop.ini"}


class Fate(StrEnum):
    ADDED = "added"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """The result for one file; `reason` says why it failed."""

    path: Path
    fate: Fate
    reason: str = ""


@dataclass(frozen=True)
class Destination:
    owner: User
    visibility: str
    album: Album | None


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


def find_or_make_album(name_or_id: str, owner: User) -> Album:
    """Return an album that `owner` may add to, by its id, or one of the owner's albums by its
    title; create it if none has this title. Raises Refusal (bad_album, ambiguous_album; see
    `texts`)."""
    try:
        UUID(name_or_id)
    except ValueError:
        pass
    else:
        return metadata.open_album(name_or_id, owner)
    found = list(Album.objects.owned_by(owner).filter(title=texts.clean_title(name_or_id))[:2])
    if len(found) > 1:
        raise Refusal(
            "ambiguous_album", _("Several albums are called so: name the id of one."), "album"
        )
    return found[0] if found else albums.create(owner, name_or_id)


def add_files(paths: Iterable[Path], destination: Destination, jobs: int) -> Iterator[Outcome]:
    """Add files, `jobs` at a time. Yield the results in the order of completion.

    A file that cannot be read or is refused does not stop the others. Any other error (the
    database, a full disk) concerns all files, and stops the import.
    """
    with ThreadPoolExecutor(jobs) as pool:
        tasks = [pool.submit(_in_thread, path, destination) for path in paths]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _in_thread(path: Path, destination: Destination) -> Outcome:
    """Add a file and close the thread's database connections, which would outlive the thread."""
    try:
        return add_file(path, destination)
    finally:
        connections.close_all()


def add_file(path: Path, destination: Destination) -> Outcome:
    try:
        file = path.open("rb")
    except OSError as error:
        return Outcome(path, Fate.FAILED, error.strerror or str(error))
    with file:
        try:
            return _add(path, File(file), destination)
        except Refusal as refusal:
            return Outcome(path, Fate.FAILED, str(refusal))


def _add(path: Path, file: File[bytes], to: Destination) -> Outcome:
    """Add a file. The look-up by hash comes first: a known picture needs neither decoding nor
    copying."""
    image = _stored(to.owner, sha256_of(file))
    fate = Fate.DUPLICATE
    if image is None:
        added = service.add_image(
            owner=to.owner, file=file, name=path.name, visibility=to.visibility
        )
        image = added.image
        fate = Fate.DUPLICATE if added.duplicate else Fate.ADDED
    refused = put_into_album(image, to.album.pk if to.album else None, to.owner)
    if refused is not None:
        raise refused
    return Outcome(path, fate)


def _stored(owner: User, sha256: str) -> Image | None:
    """The owner's picture with this hash. None also if it is in the trash or its file is
    missing: then adding it again repairs that."""
    image = service.known_images(owner, [sha256]).get(sha256)
    if image is None or image.deleted_at is not None:
        return None
    return image if is_stored(original_of(image)) else None
