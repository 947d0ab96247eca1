"""Celery tasks: short wrappers that take ids and call a domain package."""

from __future__ import annotations

import base64
from collections.abc import Callable
from uuid import UUID

from celery import shared_task

from gallery import sweep as sweep  # connects the worker's signals
from gallery import task_names, trail
from gallery.accounts import deletion, expiry
from gallery.dispatch import on_commit
from gallery.encoders import reply
from gallery.encoders.base import Encoder, ModelUnavailable, Vectors
from gallery.encoders.client import ModelName
from gallery.encoders.registry import get_verified_encoder
from gallery.explore import build
from gallery.indexing import heartbeat as heartbeat  # connects the worker's signals
from gallery.indexing import spaces
from gallery.labels import applying as label_jobs
from gallery.labels import maintenance as label_maintenance
from gallery.library import facts_backfill
from gallery.organising import copies, smart_albums, trash
from gallery.pixels.decode import unpack
from gallery.search.evaluation import recall
from gallery.search.relevance import calibration
from gallery.sharing import notices
from gallery.uploads import acceptance, import_run, imports, tus
from gallery.work import drain
from gallery.work.analyser import Resource
from gallery.work.lanes import lane

# --- Queue "query": somebody waits for the answer -------------------------------


# These tasks take the model's name and not its row: so a query needs no database connection,
# which Celery would open and close for each task.


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
        # The requester is told at once; the task fails with its traceback in the log.
        reply.send_error(reply_key, f"The encoder failed on this query: {error!r:.200}")
        raise
    else:
        reply.send_vectors(reply_key, vectors)


# --- Queue "index": work that needs the model --------------------------------------


@shared_task
def index_pending() -> None:
    drain.drain(Resource.MODEL)
    spaces.finish_spaces()
    if spaces.lists_are_due():
        on_commit(task_names.REFRESH_LISTS)
    if smart_albums.due().exists():
        on_commit(task_names.FILL_SMART_ALBUMS)


@shared_task
def prepare_spaces() -> None:
    spaces.prepare_spaces()
    index_pending()


@shared_task
def prepare_calibration() -> None:
    calibration.measure()


# --- Queue "media": previews and other work on each picture without the model ---------


@shared_task
def analyse_pending() -> None:
    drain.drain(Resource.PROCESSOR)
    if copies.waiting().exists():
        on_commit(task_names.COMPARE_COPIES)


# --- Queue "chores": long work, each kind in its own lane ----------------------------


@shared_task
@lane()
def refresh_lists() -> None:
    spaces.refresh_lists()


@shared_task
@lane()
def compare_copies() -> None:
    copies.measure_waiting()


@shared_task
@lane()
def read_facts_again() -> None:
    facts_backfill.backfill_facts()


@shared_task
@lane()
def fill_smart_albums(search_id: str | None = None) -> None:
    """Fill the album of one search, or all albums that are due."""
    smart_albums.fill_due(UUID(search_id) if search_id else None)


@shared_task
@lane()
def remove_accounts() -> None:
    deletion.remove_requested()


@shared_task
@lane()
def run_label_jobs() -> None:
    label_jobs.run_waiting()
    if smart_albums.due().exists():
        on_commit(task_names.FILL_SMART_ALBUMS)


@shared_task
@lane()
def maintain_labels() -> None:
    label_maintenance.maintain()


@shared_task
@lane()
def maintain_map() -> None:
    build.build_due()


@shared_task
@lane()
def measure_recall() -> None:
    recall.run()


@shared_task
@lane()
def request_recall() -> None:
    recall.request()


@shared_task
@lane()
def purge_trash() -> None:
    trash.purge_expired()


@shared_task
@lane()
def forget_security_events() -> None:
    trail.forget_old()


@shared_task
@lane()
def forget_expired() -> None:
    expiry.forget()


@shared_task
@lane()
def finish_uploads() -> None:
    acceptance.finish_interrupted()


@shared_task
@lane()
def mail_notices() -> None:
    notices.mail_waiting()


@shared_task
@lane(threads=import_run.AT_ONCE)
def run_imports() -> None:
    import_run.run_waiting()


@shared_task
@lane()
def expire_uploads() -> None:
    tus.expire()
    imports.forget_old()
