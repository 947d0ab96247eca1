from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache, reduce
from operator import or_
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from gallery import viewer_cache
from gallery.models import clock
from gallery.models.album import Album, AlbumItem
from gallery.models.clock import ClockField, OnTheSpot
from gallery.models.organising import Favourite, Tag
from gallery.models.user import User, Viewer
from gallery.models.words import Words

# `deleted_at` of pictures that their owner deleted for good: nobody sees them any more, and a
# worker removes them next (gallery.organising.trash).
GIVEN_UP = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _in_album_of(user: User) -> Exists:
    """Return the condition that an album that `user` may see contains the picture. It depends on
    the user alone, so it is built once and cached."""
    albums = Album.objects.visible_to(user).order_by().values("pk")
    # EXISTS and not IN: PostgreSQL then looks up one picture or collects all of them, whichever
    # is cheaper, and does not count the cost of collecting for each picture.
    return Exists(AlbumItem.objects.filter(image_id=OuterRef("pk"), album__in=albums))


def _gathered_from_albums_of(user: User) -> Func:
    """Return the same condition, for which PostgreSQL collects the pictures of all albums
    first."""
    albums = Album.objects.visible_to(user).order_by().values("pk")
    items = AlbumItem.objects.filter(album__in=albums).order_by().values("image_id")
    return Func(
        F("pk"),
        ArraySubquery(items),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=models.BooleanField(),
    )


class ImageQuerySet(models.QuerySet["Image"]):
    """Who may read what. Every read for an account or a visitor starts from one of these.

    Links have a rule of their own (gallery.sharing.link_contents).
    """

    def visible_to(self, user: Viewer) -> ImageQuerySet:
        """Pictures that lists, searches and counts show to `user`."""
        return self.filter(self._visible(user), deleted_at__isnull=True)

    def reachable_by(self, user: Viewer) -> ImageQuerySet:
        """Visible pictures and unlisted ones, for requests by id, as from a link. Moderators also
        reach pictures that moderators have hidden, to review them."""
        reachable = self._visible(user) | Q(
            visibility=Image.Visibility.UNLISTED, hidden_at__isnull=True
        )
        if getattr(user, "is_moderator", False):
            reachable |= Q(hidden_at__isnull=False)
        return self.filter(reachable, deleted_at__isnull=True)

    def owned_by(self, user: Viewer) -> ImageQuerySet:
        """Pictures that `user` may change; none for an anonymous visitor."""
        return self.filter(owner_id=user.pk, deleted_at__isnull=True) if user.pk else self.none()

    def in_trash_of(self, user: Viewer) -> ImageQuerySet:
        """Deleted pictures that `user` may still restore."""
        return self.filter(owner_id=user.pk, deleted_at__gt=GIVEN_UP) if user.pk else self.none()

    def in_album(self, album: Album) -> ImageQuerySet:
        """Pictures that the album shows to everybody who may see it, whatever the visibility of
        each picture."""
        return self.filter(
            Q(hidden_at__isnull=True),
            pk__in=AlbumItem.objects.filter(album=album).values("image_id"),
            deleted_at__isnull=True,
        )

    def with_favourite(self, user: Viewer) -> ImageQuerySet:
        """Annotates `is_favourite`: whether `user` marked the picture."""
        marks = Favourite.objects.filter(user_id=user.pk or 0, image_id=OuterRef("pk"))
        return self.annotate(is_favourite=Exists(marks))

    def with_tag_names(self, user: Viewer) -> ImageQuerySet:
        """Annotates `tag_names`: the names of `user`'s own tags."""
        own = Tag.objects.filter(owner_id=user.pk or 0, images=OuterRef("pk"))
        return self.annotate(tag_names=ArraySubquery(own.values("name")))

    def with_place(self) -> ImageQuerySet:
        """Annotates the fields of the order `keyset.IN_ALBUM`. The queryset has to be joined
        with the items of one album."""
        return self.annotate(position=F("album_items__position"), item_id=F("album_items__id"))

    def parts_visible_to(self, user: Viewer, *, gathered: bool = False) -> list[ImageQuerySet]:
        """Return `visible_to` in parts that may overlap. Next to an index that knows nothing of
        rights, PostgreSQL can read each part by owner if that is less. `gathered`: read pictures
        of albums by album, which is more if the albums are large."""
        parts = self._parts(user)
        if gathered and user.pk:
            parts[-1] = Q(_gathered_from_albums_of(user), hidden_at__isnull=True)
        return [self.filter(part, deleted_at__isnull=True) for part in parts]

    @classmethod
    def _visible(cls, user: Viewer) -> Q:
        return reduce(or_, cls._parts(user))

    @staticmethod
    def _parts(user: Viewer) -> list[Q]:
        """Return conditions: public pictures and, for an account, own ones and those of its
        albums."""
        public = Q(visibility=Image.Visibility.PUBLIC, hidden_at__isnull=True)
        if not user.pk:
            return [public]
        return [public, Q(owner_id=user.pk), Q(_in_album_of(user), hidden_at__isnull=True)]


class ImageManager(models.Manager.from_queryset(ImageQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> ImageQuerySet:
        """Leave out columns that only the database reads."""
        return cast("ImageQuerySet", super().get_queryset().defer("words", "name_words"))


class Image(models.Model):
    """One picture of one owner. The original lies untouched in the storage."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", _("Private")
        UNLISTED = "unlisted", _("Anyone with the link")
        PUBLIC = "public", _("Public")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="images",
        verbose_name=_("owner"),
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    description = models.TextField(_("description"), max_length=5000, blank=True)
    visibility = models.CharField(
        _("visibility"),
        max_length=10,
        choices=Visibility.choices,
        default=Visibility.PRIVATE,
    )

    # The original: content-addressed per owner, so that nothing about one
    # owner's files is revealed to another.
    file = models.FileField(_("file"), max_length=255, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    original_name = models.CharField(_("file name"), max_length=255, blank=True)
    byte_size = models.BigIntegerField(_("size in bytes"), editable=False)
    content_type = models.CharField(_("type"), max_length=50, editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    # The file is truncated: the missing part of the picture is grey or empty.
    incomplete = models.BooleanField(
        _("incomplete"), default=False, db_default=False, editable=False
    )

    # An animation has more than one; pages of a TIFF do not count. Null: not counted yet.
    frames = models.PositiveIntegerField(null=True, editable=False)
    # The length of one loop of an animation in seconds, if the file says so.
    duration = models.FloatField(null=True, editable=False)

    # How the owner wants it to look (gallery.pixels.recipe); empty: like the original. The file
    # never changes. Width and height above, and all that is computed from pixels, are those after
    # the recipe. `edition` differs from recipe to recipe and is a part of the names of renditions.
    recipe = models.JSONField(default=dict, db_default={}, editable=False)
    edition = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)
    # The owner's stars, which all who see the picture see. 0: none.
    rating = models.PositiveSmallIntegerField(
        _("rating"), default=0, db_default=0, validators=[MaxValueValidator(5)]
    )

    # Facts from the file. `facts` is the version of the code that read them
    # (gallery.library.facts); 0: read before there were versions. Width and height above are
    # those after the orientation is applied.
    facts = models.PositiveSmallIntegerField(default=0, editable=False)
    captured_at = models.DateTimeField(_("taken"), null=True, blank=True)
    # The offset from UTC in seconds at the place and time where it was taken, or else that of
    # the site; and whether it is known, not assumed.
    ahead_of_utc = models.IntegerField(default=clock.ahead_of_utc, editable=False)
    is_offset_known = models.BooleanField(default=False, editable=False)
    camera = models.CharField(_("camera"), max_length=200, blank=True)
    exif = models.JSONField(_("camera settings"), default=dict, blank=True)
    # GPS is private to the owner.
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)

    # Made by the media worker.
    placeholder = models.TextField(
        blank=True, editable=False, help_text=_("A tiny blurred preview as a data URI.")
    )

    # What the picture looks like, computed by the media worker from its smallest rendition.
    # Dominant colours: [["#c0392b", 0.41], …] with their share of the picture, their cells in
    # OKLab (gallery.library.oklab) and, as negative numbers, their names
    # (gallery.library.colour_names).
    palette = models.JSONField(default=list, editable=False)
    colour_cells = ArrayField(models.SmallIntegerField(), default=list, editable=False)
    # 64 bits, as a signed integer for PostgreSQL.
    perceptual_hash = models.BigIntegerField(null=True, editable=False)

    # Archived: no longer on the home page and the timeline, but still found.
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    # Hidden by a moderator from everybody but the owner.
    hidden_at = models.DateTimeField(_("hidden"), null=True, blank=True, editable=False)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    hidden_reason = models.CharField(_("why hidden"), max_length=500, blank=True, editable=False)

    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # When it was taken, or else uploaded, as local time without a zone. All days, months and
    # sort orders use it.
    taken_at = models.GeneratedField(
        expression=OnTheSpot("captured_at", "created_at", ahead="ahead_of_utc"),
        output_field=ClockField(),
        db_persist=True,
    )
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    # For the full-text search: words for everybody, and words for the owner alone.
    words = models.GeneratedField(
        expression=Words("title", weight="A") + Words("description", weight="B"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    name_words = models.GeneratedField(
        expression=Words("original_name", weight="C"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ImageManager()

    if TYPE_CHECKING:
        owner_id: int
        # Annotated by with_favourite.
        is_favourite: bool
        # Annotated by gallery.indexing.states.with_state.
        index_state: str
        index_error: str
        # Annotated by with_tag_names.
        tag_names: list[str]

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "sha256"], name="image_once_per_owner"),
            models.CheckConstraint(condition=Q(rating__lte=5), name="image_rating_of_five"),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="image_of_owner"),
            models.Index(fields=["owner", "-taken_at", "-id"], name="image_timeline"),
            models.Index(
                fields=["-taken_at", "-id"],
                name="image_public_timeline",
                condition=Q(visibility="public", deleted_at__isnull=True),
            ),
            # Own, public and shared pictures together, in one scan from the newest on.
            models.Index(
                fields=["-created_at", "-id"],
                name="image_newest",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["-taken_at", "-id"],
                name="image_latest_taken",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["hidden_at"],
                name="image_hidden",
                condition=Q(hidden_at__isnull=False),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="image_public",
                condition=Q(visibility="public", deleted_at__isnull=True),
            ),
            models.Index(fields=["sha256"], name="image_exact_copies"),
            models.Index(fields=["camera"], name="image_camera"),
            models.Index(fields=["owner", "rating"], name="image_rated", condition=Q(rating__gt=0)),
            GinIndex(fields=["words"], name="image_words"),
            GinIndex(fields=["name_words"], name="image_name_words"),
            GinIndex(fields=["colour_cells"], name="image_colours"),
            models.Index(fields=["id"], name="image_facts_old", condition=Q(facts=0)),
            models.Index(
                fields=["deleted_at"],
                name="image_in_trash",
                condition=Q(deleted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        """The title, or a placeholder. Never the file name, which may contain what its owner
        would not show to others."""
        return self.title or str(_("Untitled"))

    def name_for(self, viewer: Viewer) -> str:
        """Return the name to show. For an untitled picture its owner sees the file name, which
        others must not see."""
        if not self.title and self.original_name and self.is_owned_by(viewer):
            return self.original_name
        return self.display_title

    @property
    def is_edited(self) -> bool:
        """Whether it was turned or cropped."""
        return bool(self.edition)

    @property
    def is_animated(self) -> bool:
        return self.frames is not None and self.frames > 1

    @property
    def captured_clock(self) -> datetime | None:
        """The local time when it was taken, or None if unknown."""
        return None if self.captured_at is None else self.taken_at

    @property
    def offset(self) -> timedelta | None:
        """The offset of that local time from UTC, or None if unknown."""
        return timedelta(seconds=self.ahead_of_utc) if self.is_offset_known else None

    def is_owned_by(self, user: Viewer) -> bool:
        return user.pk is not None and self.owner_id == user.pk
