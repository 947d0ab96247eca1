"""Celery tasks: wrappers of a few lines that take ids and call a subject."""

from __future__ import annotations

import base64
from collections.abc import Callable
from uuid import UUID

from celery import shared_task

from gallery import trail
from gallery.accounts import deletion, expiry
from gallery.doorbell import ring
from gallery.encoders import reply
from gallery.encoders.base import Encoder, ModelUnavailable, Vectors
from gallery.encoders.client import ModelName
from gallery.encoders.registry import get_verified_encoder
from gallery.explore import drawing
from gallery.indexing import batch, ledger, near_duplicates, spaces
from gallery.indexing import presence as presence  # connects the worker's signals
from gallery.library import facts_again, looking_back, renditions
from gallery.models import Image
from gallery.organising import copies, smart_albums, trash
from gallery.pixels.decode import unpack
from gallery.search import calibration, recall
from gallery.uploads import acceptance, import_run, imports, tus

# --- Queue "query": somebody waits for the answer -------------------------------


# These name the model, not its row: a query needs no database connection, which
# Celery would open and close for each task.


@shared_task
def encode_texts(model: ModelName, texts: list[str], reply_key: str) -> None:
    _answer(reply_key, model, lambda encoder: encoder.encode_texts(texts))


@shared_task
def encode_picture(model: ModelName, packed: str, reply_key: str) -> None:
    picture = unpack(base64.b64decode(packed))
    _answer(reply_key, model, lambda encoder: encoder.encode_images([picture]))


def _answer(reply_key: str, model: ModelName, encode: Callable[[Encoder], Vectors]) -> None:
    try:
        vectors = encode(get_verified_encoder(*model))
    except ModelUnavailable as error:
        reply.send_error(reply_key, str(error))
    except Exception as error:
        # The asker is told at once; the task fails with its traceback in the log.
        reply.send_error(reply_key, f"The encoder failed on this query: {error!r:.200}")
        raise
    else:
        reply.send_vectors(reply_key, vectors)


# --- Queue "index": the doorbell of the pipeline ----------------------------------


@shared_task
def index_pending() -> None:
    batch.drain()
    spaces.finish_spaces()
    if spaces.lists_are_due():
        ring(spaces.LISTS_TASK)
    if smart_albums.due().exists():
        ring(smart_albums.TASK)
    if near_duplicates.has_pending():
        ring("gallery.tasks.compare_pictures")


@shared_task
def prepare_spaces() -> None:
    spaces.prepare_spaces()
    batch.drain()
    spaces.finish_spaces()


@shared_task
def prepare_calibration() -> None:
    calibration.measure()


# --- Queue "media": everything that needs no model --------------------------------


@shared_task
def render_image(image_id: str) -> None:
    image = Image.objects.filter(pk=UUID(image_id)).first()
    if image is not None:
        renditions.render(image)


@shared_task
def refresh_lists() -> None:
    spaces.refresh_lists()


@shared_task
def compare_pictures() -> None:
    near_duplicates.compare_pending()
    copies.measure_waiting(near_duplicates.SECONDS)


@shared_task
def fill_smart_albums(search_id: str | None = None) -> None:
    """The album of one search, or all that wait for it."""
    smart_albums.fill_due(UUID(search_id) if search_id else None)


@shared_task
def sweep() -> None:
    """Ring again for what a lost message, a crash or a broker that was down left behind."""
    if spaces.needs_preparing():
        ring("gallery.tasks.prepare_spaces")
    if ledger.has_pending():
        ring("gallery.tasks.index_pending")
    if spaces.lists_are_due():
        ring(spaces.LISTS_TASK)
    if calibration.is_due():
        ring(calibration.TASK)
    if recall.is_waiting():
        ring(recall.TASK)
    if near_duplicates.has_pending() or copies.waiting().exists():
        ring("gallery.tasks.compare_pictures")
    if smart_albums.due(rest=smart_albums.FRESH).exists():
        ring(smart_albums.TASK)
    for user_id in deletion.requested():
        ring(deletion.TASK, user_id)
    for batch_id in imports.waiting():
        ring(imports.TASK, str(batch_id))
    acceptance.finish_interrupted()
    for image_id in renditions.pending_renders(limit=50):
        render_image(str(image_id))
    looking_back.catch_up(limit=200)
    facts_again.catch_up(limit=200)


@shared_task
def remove_account(user_id: int) -> None:
    deletion.remove(user_id)


@shared_task
def tend_map() -> None:
    drawing.tend()


@shared_task
def measure_recall() -> None:
    recall.run()


@shared_task
def request_recall() -> None:
    recall.request()


@shared_task
def purge_trash() -> None:
    trash.purge_expired()


@shared_task
def forget_security_events() -> None:
    trail.forget_old()


@shared_task
def forget_expired() -> None:
    expiry.forget()


@shared_task
def run_import(batch_id: str) -> None:
    import_run.run(UUID(batch_id))


@shared_task
def expire_uploads() -> None:
    tus.expire()
    imports.forget_old()
