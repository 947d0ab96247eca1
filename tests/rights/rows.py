"""A world of the model as rows of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from django.core.files.storage import default_storage
from django.utils import timezone

from gallery.encoders.base import l2_normalise
from gallery.indexing import encoding
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Analysis,
    Answer,
    Category,
    EmbeddingSpace,
    ExploreMap,
    Favourite,
    Group,
    Image,
    Label,
    LabelFit,
    LabelJob,
    LabelSet,
    LabelSetVersion,
    MapCluster,
    MapPoint,
    ShareLink,
    Tag,
    User,
)
from gallery.search.filters import colours
from tests.rights.model import Picture, World

PALETTES = {"red": "#d32f2f", "blue": "#1e66d0"}


class Rows:
    """Lists in the order of the model. `keeper` is a moderator from outside the world."""

    def __init__(self, world: World, space: EmbeddingSpace, file: str) -> None:
        self.world, self.space, self.file = world, space, file
        now = timezone.now()
        self.users = User.objects.bulk_create(
            User(username=f"user{n}", password="!", role=p.role, is_active=p.is_active)
            for n, p in enumerate(world.users)
        )
        self.keeper = User.objects.create(username="keeper", password="!", role="moderator")
        self.images = Image.objects.bulk_create(
            self.image(number, picture) for number, picture in enumerate(world.pictures)
        )
        self.number = {image.pk: number for number, image in enumerate(self.images)}
        self.encode(self.images)
        self._draw_map()
        self._tags()
        Favourite.objects.bulk_create(
            Favourite(user=self.users[who], image=self.images[which])
            for who, which in world.favourites
        )
        self.albums = Album.objects.bulk_create(
            Album(owner=self.users[b.owner], title=f"a{n}", deleted_at=now if b.in_trash else None)
            for n, b in enumerate(world.books)
        )
        AlbumItem.objects.bulk_create(
            AlbumItem(album=album, image=self.images[which], position=float(place))
            for album, book in zip(self.albums, world.books, strict=True)
            for place, which in enumerate(book.pictures)
        )
        self.label_sets = [self._sort(number) for number in range(len(world.sortings))]
        self.groups = Group.objects.bulk_create(
            Group(owner=self.users[circle.owner], name=f"g{n}")
            for n, circle in enumerate(world.circles)
        )
        for group, circle in zip(self.groups, world.circles, strict=True):
            group.members.set([self.users[member] for member in circle.members])
        self.shares = AlbumShare.objects.bulk_create(
            AlbumShare(
                album=self.albums[s.book],
                user=None if s.person is None else self.users[s.person],
                group=None if s.circle is None else self.groups[s.circle],
                role=s.role,
                created_by=self.users[0],
            )
            for s in world.shares
        )
        self.links = ShareLink.objects.bulk_create(
            ShareLink(
                album=None if link.book is None else self.albums[link.book],
                image=None if link.picture is None else self.images[link.picture],
                created_by=self.users[link.maker],
                allow_download=link.allow_download,
                revoked_at=now if link.state == "revoked" else None,
                expires_at=now - timedelta(1) if link.state == "expired" else None,
            )
            for link in world.links
        )

    def image(self, number: int, picture: Picture) -> Image:
        """Return a row that is not stored yet."""
        now = timezone.now()
        return Image(
            owner=self.users[picture.owner],
            visibility=picture.visibility,
            title=f"p{number}",
            original_name=f"own-{number}.jpg",
            file=self.file,
            sha256=f"{number:064x}",
            byte_size=default_storage.size(self.file),
            content_type="image/jpeg",
            width=64,
            height=48,
            camera=f"camera {picture.camera}",
            captured_at=datetime(2020, picture.month, 1 + number, tzinfo=UTC),
            palette=[[PALETTES[picture.colour], 1.0]],
            colour_cells=colours.cells(picture.colour),
            deleted_at=now if picture.in_trash else None,
            hidden_at=now if picture.hidden else None,
            archived_at=now if picture.archived else None,
        )

    def encode(self, images: list[Image]) -> None:
        vectors = l2_normalise(np.array([[1.0, number / 9, 0.1] for number in range(len(images))]))
        encoding.keep_vectors(self.space, [image.pk for image in images], vectors)
        Analysis.objects.bulk_create(
            Analysis(image=image, analyser=encoding.name_of(self.space), state=Analysis.State.DONE)
            for image in images
        )

    def _draw_map(self) -> None:
        """Draw two regions side by side."""
        self.map = ExploreMap.objects.create(
            space=self.space,
            state="ready",
            progress=1,
            laid_out=100,
            built_at=timezone.now(),
        )
        self.regions = [
            MapCluster.objects.create(map=self.map, x=x, y=0.5, size=len(self.images))
            for x in (0.25, 0.75)
        ]
        self.place(self.images)

    def place(self, images: list[Image]) -> None:
        MapPoint.objects.bulk_create(
            MapPoint(
                map=self.map,
                image=image,
                cluster=self.regions[number % 2],
                x=self.regions[number % 2].x + number / 1000,
                y=0.5,
            )
            for number, image in enumerate(images)
        )

    def _sort(self, number: int) -> LabelSet:
        """A label set with its labels and answers, as if it had been applied."""
        sorting = self.world.sortings[number]
        owner = None if sorting.owner is None else self.users[sorting.owner]
        label_set = LabelSet.objects.create(owner=owner, name=f"s{number}")
        version = LabelSetVersion.objects.create(
            label_set=label_set, number=1, mode="any", categories=[]
        )
        fit = LabelFit.objects.create(version=version, space=self.space)
        job = LabelJob.objects.create(label_set=label_set, fit=fit, state="done")
        LabelSet.objects.filter(pk=label_set.pk).update(version=version, applied=job)
        machine, human = (
            Category.objects.create(
                label_set=label_set, name=name, all_names=[name], position=position
            )
            for position, name in enumerate([f"machine {number}", f"human {number}"])
        )
        Label.objects.bulk_create(
            Label(image=self.images[n], category=machine, fit=fit, probability=0.9, added_by=job)
            for n in sorting.labelled
        )
        Answer.objects.bulk_create(
            Answer(image=self.images[n], category=human, verdict=True, at=timezone.now())
            for n in sorting.said
        )
        label_set.refresh_from_db()
        return label_set

    def _tags(self) -> None:
        for user in self.users:
            tag = Tag.objects.create(owner=user, name="word")
            tag.images.set(
                image
                for image, picture in zip(self.images, self.world.pictures, strict=True)
                if picture.tagged and image.owner == user
            )
