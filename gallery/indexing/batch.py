"""The indexing pipeline: claim, decode, encode, store, until nothing is pending."""

from __future__ import annotations

import io
import logging
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.utils.translation import gettext_noop
from PIL import Image as PILImage

from gallery.encoders.base import Encoder, ModelUnavailable
from gallery.encoders.registry import get_encoder
from gallery.indexing import ledger
from gallery.indexing.ledger import Claim, Entry
from gallery.pixels import jobs, places
from gallery.priority import give_way

logger = logging.getLogger(__name__)

Pixels = PILImage.Image

# What the owner reads (translated when shown); the detail follows on its own line.
MISSING = gettext_noop("The original is missing from the storage.")
STORAGE_DOWN = gettext_noop("The storage does not answer.")
DAMAGED = gettext_noop("The picture cannot be decoded.")
NOT_ENCODED = gettext_noop("The model could not encode this picture.")

# The worker's name among all workers, which marks its claims.
worker_name = ""

# Set when the worker is to stop: the batch at hand is finished, no other begun.
stopping = threading.Event()

_running = threading.Lock()
_rung_again = threading.Event()

# Where the model runs for batches: the threads of Celery run it for queries, too, and those
# wait for nobody.
_model = ThreadPoolExecutor(1, thread_name_prefix="batch", initializer=give_way)


def drain() -> None:
    """Encode all that is pending. One thread of a process works, the others return
    at once and leave word, so that rings never occupy the threads of queries."""
    _rung_again.set()
    while _rung_again.is_set() and _running.acquire(blocking=False):
        try:
            _rung_again.clear()
            encode_pending()
        finally:
            _running.release()


@dataclass(frozen=True)
class _Prepared:
    claim: Claim
    encoder: Encoder
    pixels: list[Future[Pixels]]


def encode_pending() -> int:
    """Work through the queues; returns how many pictures got their vector.

    The next batch is decoded by a pool of threads while the model runs.
    """
    done = 0
    decoders = os.cpu_count() or 2
    with ThreadPoolExecutor(decoders, "decode", initializer=give_way) as pool:
        current = _prepare_next(pool)
        while current is not None and not stopping.is_set():
            upcoming = _prepare_next(pool)
            done += _encode(current)
            # Asked again where there was nothing: work may have come meanwhile.
            current = upcoming or _prepare_next(pool)
    if current is not None:
        ledger.release(current.claim)
    return done


def _prepare_next(pool: ThreadPoolExecutor) -> _Prepared | None:
    """Claim the next batch, the active space's first, and start to decode it."""
    claimed = _claim_next()
    if claimed is None:
        return None
    claim, encoder = claimed
    return _Prepared(claim, encoder, [pool.submit(_decode, entry) for entry in claim.entries])


def _claim_next() -> tuple[Claim, Encoder] | None:
    for space in ledger.target_spaces().filter(dimensions__isnull=False):
        try:
            encoder = get_encoder(space.architecture, space.pretrained)
        except ModelUnavailable as error:
            logger.error("Space %s waits: %s", space, error)
            continue
        if encoder.checksum != space.checksum:
            logger.warning("Space %s waits: its weights have changed.", space)
            continue
        claim = ledger.claim(space, encoder.batch_size, worker_name)
        if claim is not None:
            return claim, encoder
    return None


class _StorageDown(Exception):
    """The original could not be read now; that says nothing about the picture."""


def _decode(entry: Entry) -> Pixels:
    original = _read(entry.file_name)
    return jobs.pixels_for_encoder(original, jobs.header_of(original))


def _read(name: str) -> io.BytesIO:
    """The whole original: read apart from decoding, so that a storage that fails is
    never taken for a damaged picture."""
    try:
        with default_storage.open(name) as file:
            return io.BytesIO(file.read())
    except FileNotFoundError:
        raise
    except Exception as error:  # S3 clients and disks bring exceptions of their own
        raise _StorageDown(repr(error)) from error


def _encode(batch: _Prepared) -> int:
    """Encode one batch; a picture that cannot be decoded fails alone."""
    entries: list[Entry] = []
    images: list[Pixels] = []
    for entry, pixels in zip(batch.claim.entries, batch.pixels, strict=True):
        try:
            images.append(pixels.result())
            entries.append(entry)
        except FileNotFoundError:
            ledger.postpone(batch.claim, entry, MISSING)
        except _StorageDown as error:
            ledger.postpone(batch.claim, entry, f"{STORAGE_DOWN}\n{error}")
        except places.Busy:
            ledger.put_off(batch.claim, entry)
        # Decoders raise almost anything for hostile bytes; the reason is kept.
        except Exception as error:
            logger.warning("Cannot decode %s: %r", entry.image_id, error)
            ledger.fail(batch.claim, entry, f"{DAMAGED}\n{error!r}")
    return _encode_images(batch, entries, images)


def _encode_images(batch: _Prepared, entries: list[Entry], images: list[Pixels]) -> int:
    """Encode at once; if that fails, one by one, so that the culprit fails alone."""
    if not entries:
        return 0
    try:
        vectors = _model.submit(batch.encoder.encode_images, images).result()
    # What a model or its device raises (out of memory, bad shapes) has no common type.
    except Exception as error:
        if len(entries) == 1:
            logger.exception("Cannot encode %s", entries[0].image_id)
            ledger.postpone(batch.claim, entries[0], f"{NOT_ENCODED}\n{error!r}")
            return 0
        return sum(
            _encode_images(batch, [entry], [image])
            for entry, image in zip(entries, images, strict=True)
        )
    return ledger.complete(batch.claim, entries, vectors)
