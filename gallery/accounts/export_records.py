"""The JSON description of an account in its export. It is written piece by piece, so that no
library is ever in memory as a whole."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from gallery.labels import files
from gallery.library.clocks import offset_text
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Answer,
    Favourite,
    Group,
    Image,
    LabelSet,
    Notice,
    Portrait,
    SavedSearch,
    SearchRecord,
    SecurityEvent,
    ShareLink,
    User,
)

_CHUNK = 500
_encode = DjangoJSONEncoder(ensure_ascii=False, indent=1).encode


def write_records(user: User, files: dict[str, str]) -> Iterator[str]:
    """Yield the JSON text. `files` maps the ids of pictures to their names in the ZIP file."""
    yield f'{{"format": 1, "exported_at": {_encode(timezone.now())},\n'
    yield f'"account": {_encode(_account(user))}'
    parts: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
        "pictures": lambda: _pictures(user, files),
        "albums": lambda: _albums(user),
        "favourites": lambda: _favourites(user),
        "groups": lambda: _groups(user),
        "notices": lambda: _notices(user),
        "links": lambda: _links(user),
        "saved_searches": lambda: _saved_searches(user),
        "label_sets": lambda: _label_sets(user),
        "answers": lambda: _answers(user),
        "search_history": lambda: _search_history(user),
        "security_events": lambda: _security_events(user),
    }
    for name, rows in parts.items():
        yield f',\n"{name}": ['
        for number, row in enumerate(rows()):
            yield f"{',' if number else ''}\n{_encode(row)}"
        yield "]"
    yield "}\n"


def _account(user: User) -> dict[str, Any]:
    return {
        "username": user.get_username(),
        "display_name": user.display_name,
        "email": user.email,
        "language": user.language,
        "role": user.role,
        "keep_history": user.keep_history,
        "mail_notices": user.mail_notices,
        "portrait": _portrait(user),
        "joined": user.date_joined,
    }


_PICTURE_FIELDS = (
    "title", "description", "visibility", "original_name", "sha256", "byte_size",
    "content_type", "width", "height", "recipe", "rating", "incomplete", "frames", "duration",
    "captured_at", "taken_at", "camera", "exif", "latitude", "longitude", "created_at",
    "updated_at", "archived_at", "hidden_at", "hidden_reason", "deleted_at",
)  # fmt: skip


def _pictures(user: User, files: dict[str, str]) -> Iterator[dict[str, Any]]:
    images = Image.objects.filter(owner=user).order_by("created_at", "pk")
    for image in images.prefetch_related("tags").iterator(chunk_size=_CHUNK):
        yield {
            "id": image.pk,
            "file": files.get(str(image.pk)),
            **{field: getattr(image, field) for field in _PICTURE_FIELDS},
            "captured_offset": offset_text(image.offset),
            "tags": [tag.name for tag in image.tags.all()],
        }


def _albums(user: User) -> Iterator[dict[str, Any]]:
    for album in Album.objects.filter(owner=user).order_by("created_at", "pk").iterator():
        items = AlbumItem.objects.filter(album=album).order_by("position", "pk")
        shares = AlbumShare.objects.filter(album=album).select_related("user", "group")
        yield {
            "id": album.pk,
            "title": album.title,
            "description": album.description,
            "cover": album.cover_id,
            "for_sharing": album.for_sharing,
            "created_at": album.created_at,
            "updated_at": album.updated_at,
            "deleted_at": album.deleted_at,
            "pictures": list(items.values_list("image_id", flat=True)),
            "shares": [_share(share) for share in shares],
        }


def _share(share: AlbumShare) -> dict[str, Any]:
    return {
        "user": share.user.get_username() if share.user else None,
        "group": share.group.name if share.group else None,
        "role": share.role,
        "created_at": share.created_at,
    }


def _favourites(user: User) -> Iterator[dict[str, Any]]:
    """The favourites by id only: the pictures may belong to others."""
    marks = Favourite.objects.filter(user=user).order_by("created_at", "pk")
    for image_id, created_at in marks.values_list("image_id", "created_at").iterator():
        yield {"picture": image_id, "created_at": created_at}


def _groups(user: User) -> Iterator[dict[str, Any]]:
    for group in Group.objects.filter(owner=user).with_members():
        members = [member.get_username() for member in group.members.all()]
        yield {"name": group.name, "members": members, "created_at": group.created_at}


def _portrait(user: User) -> str | None:
    """The picture of the account as base64 of its WebP file."""
    found = Portrait.objects.filter(user=user).values_list("content", flat=True).first()
    return None if found is None else base64.b64encode(bytes(found)).decode()


def _notices(user: User) -> Iterator[dict[str, Any]]:
    """Those of albums that the user still sees."""
    for notice in Notice.objects.shown_to(user).select_related("actor", "album"):
        yield {
            "kind": notice.kind,
            "by": notice.actor.get_username() if notice.actor else None,
            "album": notice.album_id,
            "title": notice.album.title,
            "created_at": notice.created_at,
            "seen_at": notice.seen_at,
        }


def _links(user: User) -> Iterator[dict[str, Any]]:
    for link in ShareLink.objects.filter(created_by=user).order_by("created_at", "pk"):
        yield {
            "name": link.name,
            "album": link.album_id,
            "picture": link.image_id,
            "address": f"/s/{link.token}/",
            "allow_download": link.allow_download,
            "has_password": bool(link.password),
            "created_at": link.created_at,
            "expires_at": link.expires_at,
            "revoked_at": link.revoked_at,
            "visits": link.use_count,
        }


def _saved_searches(user: User) -> Iterator[dict[str, Any]]:
    for saved in SavedSearch.objects.filter(owner=user).order_by("created_at", "pk"):
        yield {
            "name": saved.name,
            "query": saved.query,
            "fills_album": saved.album_id,
            "created_at": saved.created_at,
            "updated_at": saved.updated_at,
        }


def _label_sets(user: User) -> Iterator[dict[str, Any]]:
    """The sets as `label-sets/import/` takes them."""
    for label_set in LabelSet.objects.filter(owner=user, deleted_at=None).order_by("created_at"):
        yield {**files.as_json(label_set), "created_at": label_set.created_at}


def _answers(user: User) -> Iterator[dict[str, Any]]:
    """What the user said of pictures, by id only: they may belong to others."""
    said = Answer.objects.filter(by=user).select_related("category__label_set")
    for answer in said.order_by("at", "pk").iterator(chunk_size=_CHUNK):
        yield {
            "picture": answer.image_id,
            "label_set": answer.category.label_set.name,
            "category": answer.category.name,
            "verdict": answer.verdict,
            "at": answer.at,
        }


def _search_history(user: User) -> Iterator[dict[str, Any]]:
    for record in SearchRecord.objects.filter(user=user).order_by("searched_at", "pk"):
        yield {"text": record.text, "searched_at": record.searched_at}


def _security_events(user: User) -> Iterator[dict[str, Any]]:
    """The security events, without personal data of other actors."""
    events = SecurityEvent.objects.filter(account=user).order_by("at", "pk")
    for event in events.iterator(chunk_size=_CHUNK):
        yield {
            "event": event.kind,
            "at": event.at,
            "last_at": event.last_at,
            "times": event.times,
            "by_you": event.actor_id == user.pk,
            "source": event.source,
            "address": event.address if event.actor_id in {user.pk, None} else "",
            "browser": event.agent if event.actor_id in {user.pk, None} else "",
            "object": event.target,
            "details": event.details,
        }
