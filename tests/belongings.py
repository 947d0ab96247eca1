"""One of each kind of thing that an account can have. Tests of the API's routes use them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from gallery.accounts import tokens
from gallery.labels import sets
from gallery.labels.definition import CategoryForm, checked
from gallery.library.service import delete_image
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    ApiToken,
    Change,
    Download,
    Group,
    Image,
    ImportBatch,
    Invitation,
    LabelJob,
    LabelSet,
    NearDuplicate,
    ResumableUpload,
    SavedSearch,
    SearchRecord,
    ShareLink,
    Tag,
    User,
)
from tests.conftest import draw, upload

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\{(\w+)\}")


class Belongings:
    """The things of `owner`. With `revoked` the share link no longer opens."""

    def __init__(self, owner: User, *, revoked: bool = False) -> None:
        self.owner = owner
        self.image = upload(owner)
        self.deleted = upload(owner, draw(colour="blue"))
        delete_image(self.deleted)
        self.twin = upload(owner, draw(colour="darkred"))
        first, second = sorted([self.image.pk, self.twin.pk])
        self.pair = NearDuplicate.objects.create(
            first_id=first, second_id=second, similarity=0.99, bits=2
        )
        self.album = Album.objects.create(owner=owner, title="Holidays")
        AlbumItem.objects.create(album=self.album, image=self.image, position=1)
        self.friend = User.objects.create_user(f"friend-of-{owner.username}")
        self.share = AlbumShare.objects.create(album=self.album, user=self.friend)
        self.group = Group.objects.create(owner=owner, name="Family")
        self.group.members.add(self.friend)
        self.link = ShareLink.objects.create(
            created_by=owner, album=self.album, revoked_at=timezone.now() if revoked else None
        )
        self.tag = Tag.objects.create(owner=owner, name="sea")
        self.tag.images.add(self.image)
        self.change = Change.objects.create(
            user=owner, action="favourite", before={"added": []}, undone_at=timezone.now()
        )
        self.download = Download.objects.create(user=owner, name="all", image_ids=[self.image.pk])
        tomorrow = timezone.now() + timedelta(days=1)
        self.upload = ResumableUpload.objects.create(owner=owner, length=10, expires_at=tomorrow)
        self.batch = ImportBatch.objects.create(owner=owner, kind=ImportBatch.Kind.URLS)
        query = {"terms": [{"text": "sea"}], "filters": {}}
        self.saved = SavedSearch.objects.create(owner=owner, name="Sea", query=query)
        forms = [CategoryForm("dog"), CategoryForm("cat")]
        self.label_set = sets.create(
            owner, "Animals", checked(categories=forms, none_of_these=False)
        )
        self.category = self.label_set.categories.get(name="dog")
        self.job = LabelJob.objects.create(label_set=self.label_set)
        self.record = SearchRecord.objects.create(
            user=owner, text="sea", searched_at=timezone.now()
        )
        self.invitation = Invitation.objects.create(created_by=owner, expires_at=tomorrow)
        secret, _ = tokens.sign_in(owner)
        self.token = ApiToken.objects.create(token=secret, name="script", scope="read")
        Client().force_login(owner)

    def of(self, address: str) -> dict[str, object]:
        """Return values for the parameters of a route or of a path of the schema."""
        first = address.removeprefix("/api/v1/").removeprefix("account/").split("/")[0]
        ids: dict[str, object] = {
            "images": self.image.pk,
            "albums": self.album.pk,
            "trash": self.deleted.pk,
            "groups": self.group.pk,
            "links": self.link.pk,
            "tags": self.tag.pk,
            "changes": self.change.pk,
            "downloads": self.download.pk,
            "uploads": self.upload.pk,
            "imports": self.batch.pk,
            "invitations": self.invitation.pk,
            "tokens": self.token.pk,
            "thumbnails": self.image.pk,
            "label-sets": self.label_set.pk,
            "categories": self.label_set.pk,
            "searches": self.record.pk if "history" in address else self.saved.pk,
        }
        if address.endswith("restore/") and first == "images":
            ids["images"] = self.deleted.pk
        values = {
            "share_id": self.share.pk,
            "image_id": self.image.pk,
            "job": self.job.pk,
            "category": self.category.pk,
            "label_set": self.label_set.pk,
            "token": self.link.token,
            "key": NO_KEY,
            "username": self.friend.username if first == "groups" else self.owner.username,
        }
        return {name: values.get(name, ids.get(first, 1)) for name in parameters_of(address)}


# The signature of a thumbnail's address opens nothing else.
NO_KEY = f"1-{'A' * 22}"


def parameters_of(address: str) -> list[str]:
    return [route or schema for route, schema in _PARAMETER.findall(address)]


def filled(address: str, values: dict[str, object]) -> str:
    """Return the address with `values` for its parameters."""
    return _PARAMETER.sub(lambda match: str(values[match[1] or match[2]]), address)


def of_nobody(address: str) -> dict[str, object]:
    """Return well-formed values that name nothing."""
    made_up: dict[str, Callable[[], object]] = {
        "username": lambda: "nobody",
        "token": lambda: "A" * 22,
        "key": lambda: NO_KEY,
    }
    return {
        name: made_up.get(name, lambda: _number_or_id(address))() for name in parameters_of(address)
    }


def _number_or_id(address: str) -> object:
    numbered = "sessions" in address or "history" in address
    return 2**31 - 1 if numbered else uuid.uuid4()


def addresses(routes: list[URLPattern]) -> list[str]:
    """Return the addresses of the routes that name an object."""
    found = ["/api/v1/" + str(route.pattern) for route in routes]
    return [address for address in found if parameters_of(address)]


def count_of_everything() -> dict[str, int]:
    """Return the number of all rows. It shows whether a request changed anything."""
    models = [Album, AlbumItem, AlbumShare, Change, Download, Group, Image, ImportBatch]
    models += [Invitation, NearDuplicate, ResumableUpload, SavedSearch]  # type: ignore[list-item]
    models += [SearchRecord, ShareLink, Tag, ApiToken, LabelSet, LabelJob]  # type: ignore[list-item]
    return {model.__name__: model._default_manager.count() for model in models}
