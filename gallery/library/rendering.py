"""The analyser that makes the smaller copies of pictures (gallery.library.renditions)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from functools import partial

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_noop
from PIL import Image as PILImage
from PIL.Image import Image as Picture

from gallery.errors import Refusal, Unavailable
from gallery.library import rendition_pixels, renditions
from gallery.library.storage import read_stored, rendition_path_of, replace_stored
from gallery.models import Image
from gallery.pixels import isolation, places
from gallery.pixels.recipe import read as read_recipe
from gallery.work import originals
from gallery.work.analyser import Analyser, Entry
from gallery.work.failures import Away, Fault, NotNow

# Stored in English and translated when shown.
DAMAGED = gettext_noop("The picture cannot be decoded. Upload it again from its source.")


class Renditions(Analyser):
    """Makes a copy of every width, and the placeholder that pages show first."""

    name = renditions.ANALYSER
    things = (originals.STORAGE, originals.WRITING)
    batch_size = os.cpu_count() or 2

    def prepare(self, entry: Entry) -> str:
        """Draw the copies and write them to the storage. Returns the placeholder."""
        widths = sorted(renditions.widths_of(entry), reverse=True)
        drawn = drawn_from_original(entry, widths)
        named = [rendition_path_of(entry.image_id, width, entry.edition) for width in widths]
        try:
            originals.within(originals.READ_SECONDS, partial(_write, named, drawn))
        except Exception as error:  # each kind of storage has exceptions of its own
            raise Away(originals.WRITING, repr(error)) from error
        return rendition_pixels.placeholder(_opened(io.BytesIO(drawn[-1])))

    def store(self, entries: Sequence[Entry], results: Sequence[str]) -> None:
        drawn = zip(entries, results, strict=True)
        Image.objects.bulk_update(
            [Image(pk=entry.image_id, placeholder=each) for entry, each in drawn], ["placeholder"]
        )
        for entry in entries:
            removal = partial(renditions.remove_renditions, entry.image_id, but=entry.edition)
            transaction.on_commit(removal, robust=True)

    def discard(self, entry: Entry) -> None:
        renditions.remove_outdated(entry.image_id, entry.edition)


def _write(names: Sequence[str], contents: Sequence[bytes]) -> None:
    for name, content in zip(names, contents, strict=True):
        replace_stored(name, ContentFile(content))


def drawn_from_original(entry: Entry, widths: Sequence[int]) -> list[bytes]:
    """Return what `rendition_pixels.draw` does, from the original. Raises Fault, Away, NotNow."""
    original = originals.read(entry.file_name)
    try:
        return rendition_pixels.draw(
            original, (entry.width, entry.height), widths, read_recipe(entry.recipe)
        )
    except places.Busy as error:
        raise NotNow from error
    except (isolation.Undecodable, Refusal) as error:
        raise Fault("damaged", DAMAGED, repr(error)) from error


def smallest_of(entry: Entry) -> Picture:
    """Return the smallest rendition, drawn again if its file is missing or damaged. Raises as
    `drawn_from_original` does."""
    width = renditions.widths_of(entry)[0]
    try:
        file = originals.within(
            originals.READ_SECONDS,
            lambda: read_stored(rendition_path_of(entry.image_id, width, entry.edition)),
        )
        return _opened(file)
    # The file is missing, or Pillow finds it damaged. If the storage is down, reading the
    # original raises Away.
    except (Unavailable, OSError, SyntaxError, ValueError):
        return _opened(io.BytesIO(drawn_from_original(entry, [width])[0]))


def _opened(webp: io.BytesIO) -> Picture:
    return PILImage.open(webp).convert("RGB")


def analysers() -> Iterable[Renditions]:
    return [Renditions()]
