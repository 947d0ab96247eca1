"""Celery tasks: wrappers of a few lines that take ids and call a subject."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings

from gallery.doorbell import ring
from gallery.encoders import reply
from gallery.encoders.base import Encoder, ModelUnavailable, Vectors
from gallery.encoders.decode import unpack
from gallery.encoders.registry import get_encoder
from gallery.indexing import batch, ledger, spaces
from gallery.indexing import presence as presence  # connects the worker's signals
from gallery.library import renditions, service
from gallery.models import EmbeddingSpace, Image

# --- Queue "query": somebody waits for the answer -------------------------------


@shared_task
def encode_texts(space_id: int, texts: list[str], reply_key: str) -> None:
    _answer(reply_key, lambda: _encoder(space_id).encode_texts(texts))


@shared_task
def encode_picture(space_id: int, packed: str, reply_key: str) -> None:
    _answer(
        reply_key,
        lambda: _encoder(space_id).encode_images([unpack(base64.b64decode(packed))]),
    )


def _encoder(space_id: int) -> Encoder:
    space = EmbeddingSpace.objects.get(pk=space_id)
    return get_encoder(space.architecture, space.pretrained)


def _answer(reply_key: str, encode: Callable[[], Vectors]) -> None:
    try:
        vectors = encode()
    except ModelUnavailable as error:
        reply.send_error(reply_key, str(error))
        return
    reply.send_vectors(reply_key, vectors)


# --- Queue "index": the doorbell of the pipeline ----------------------------------


@shared_task
def index_pending() -> None:
    batch.drain()


@shared_task
def prepare_spaces() -> None:
    spaces.prepare_spaces()
    batch.drain()


# --- Queue "media": everything that needs no model --------------------------------


@shared_task
def render_image(image_id: str) -> None:
    image = Image.objects.filter(pk=UUID(image_id)).first()
    if image is not None:
        renditions.render(image)


@shared_task
def sweep() -> None:
    """Ring again for what a lost message, a crash or a broker that was down left behind."""
    if spaces.needs_preparing():
        ring("gallery.tasks.prepare_spaces")
    if ledger.has_pending():
        ring("gallery.tasks.index_pending")
    for image_id in renditions.pending_renders(limit=50):
        render_image(str(image_id))


@shared_task
def purge_trash() -> None:
    service.purge_trash(older_than=timedelta(days=settings.TRASH_DAYS))
