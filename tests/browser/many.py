"""Many pictures at once, for pages that must handle them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gallery.models import Image, User
from tests.conftest import draw, upload

NEWEST = datetime(2024, 6, 20, 12, tzinfo=UTC)
SHAPES = [(60, 40), (40, 60), (64, 48), (50, 50), (90, 50)]


def many(owner: User, moments: Sequence[datetime], **fields: object) -> list[Image]:
    """Create a picture for each of `moments`, in this order, as its time of capture and of upload.
    They share a few files, from which thumbnails are made on request."""
    shapes = [
        upload(owner, draw(*size, (60 * n, 120, 90)), title="kind") for n, size in enumerate(SHAPES)
    ]
    images = Image.objects.bulk_create(
        Image(
            owner=owner,
            file=shape.file.name,
            sha256=uuid.uuid4().hex,
            title=f"Picture {number}",
            byte_size=shape.byte_size,
            content_type=shape.content_type,
            width=shape.width,
            height=shape.height,
            captured_at=moment,
            **fields,
        )
        for number, (moment, shape) in enumerate(
            (moment, shapes[number % len(shapes)]) for number, moment in enumerate(moments)
        )
    )
    for image, moment in zip(images, moments, strict=True):
        image.created_at = moment
    Image.objects.bulk_update(images, ["created_at"], batch_size=500)
    # They have the files of the others now.
    Image.objects.filter(title="kind").update(deleted_at=NEWEST)
    return images


def in_a_row(count: int) -> list[datetime]:
    """Return moments one minute apart, the newest first."""
    return [NEWEST - timedelta(minutes=number) for number in range(count)]
