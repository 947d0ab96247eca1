"""Pictures as the API shows and takes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.api.serializers.clocks import ClockField
from gallery.api.serializers.prepared import PreparedSerializer
from gallery.api.serializers.selection import tag_names
from gallery.library import thumbnails
from gallery.library.clocks import in_iso_form, offset_text, told
from gallery.models import Image, Viewer
from gallery.organising import looks
from gallery.organising.details_of_many import MOST_STARS
from gallery.search.filters.image_filter import STATES

# Null for everybody but the owner, because these fields can reveal private facts.
OWNERS_EYES_ONLY = [
    *("original_name", "sha256", "latitude", "longitude", "captured_offset", "recipe"),
    *("archived", "tags"),
]
# Null for everybody but the owner and moderators.
JUDGED_EYES_ONLY = ["hidden", "hidden_reason"]
_ANY = str(UUID(int=0))


class OwnerSerializer(PreparedSerializer):
    username = serializers.CharField()


def thumbnail_address() -> serializers.URLField:
    return serializers.URLField(
        help_text="Accepts `?w=`, the width in pixels. Opens without a token for some minutes."
    )


class RecipeSerializer(serializers.Serializer):
    """How a picture is turned and then cropped. Its file stays as it is."""

    turns = serializers.IntegerField(
        min_value=0, max_value=3, default=0, help_text="Quarters to the right."
    )
    crop = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1),
        min_length=4,
        max_length=4,
        allow_null=True,
        default=None,
        help_text="[left, top, width, height] as shares of the turned picture. Null: all of it.",
    )


class ImageUrlsSerializer(serializers.Serializer):
    file = serializers.URLField()
    thumbnail = thumbnail_address()
    page = serializers.URLField(help_text="The picture's page on this site.")


class ImageSerializer(PreparedSerializer, serializers.ModelSerializer):
    """A picture and its metadata."""

    # Needs the request in its context, and pictures loaded with their display fields
    # (gallery.indexing.selectors.with_display_fields).

    state = serializers.ChoiceField(
        STATES,
        source="index_state",
        read_only=True,
        help_text="`ready`: the picture is found by searches.",
    )
    error = serializers.SerializerMethodField(help_text="Why `state` is `failed`; else empty.")
    exif = serializers.DictField(read_only=True, help_text="Camera settings by name.")
    owner = OwnerSerializer(read_only=True)
    is_owner = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()
    original_name = serializers.CharField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    sha256 = serializers.CharField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    latitude = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    longitude = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    created_at = serializers.SerializerMethodField(label=gettext_lazy("Uploaded"))
    captured_at = serializers.SerializerMethodField(
        help_text="When it was taken, if known. The time before the offset is the local time at "
        "the place of capture. The offset is the local one if `captured_offset` has it, "
        "else the one of the site."
    )
    taken_at = serializers.SerializerMethodField(
        help_text="The same, or else the time of upload. Days, months and orders use it."
    )
    captured_offset = serializers.SerializerMethodField(
        help_text="The local offset from UTC at the place of capture, like `+05:30`, if "
        "known; null unless you own the picture."
    )
    frames = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="More than one for an animation. Null: not counted yet.",
    )
    duration = serializers.FloatField(
        read_only=True,
        allow_null=True,
        help_text="The duration of an animation in seconds, if the file states it.",
    )
    recipe = serializers.SerializerMethodField(
        help_text="How you turned and cropped it; null if it looks like its file, or unless you "
        "own the picture. `width`, `height` and all copies follow it."
    )
    rating = serializers.IntegerField(
        read_only=True, help_text="The owner's stars, from 1 to 5. 0: none."
    )
    archived = serializers.SerializerMethodField(
        help_text="Not shown on the home page and the timeline. Null unless you own the picture."
    )
    incomplete = serializers.BooleanField(
        read_only=True, help_text="Whether the file is truncated, so that a part is missing."
    )
    tags = serializers.SerializerMethodField(help_text="Null unless you own the picture.")
    favourite = serializers.BooleanField(
        source="is_favourite", read_only=True, help_text="Whether it is one of your favourites."
    )
    hidden = serializers.SerializerMethodField(
        help_text="Whether a moderator hid it. Null unless you own the picture or are a moderator."
    )
    hidden_reason = serializers.CharField(
        read_only=True, allow_null=True, help_text="Null whenever `hidden` is."
    )

    class Meta:
        model = Image
        fields = [
            "id",
            "state",
            "error",
            "title",
            "description",
            "visibility",
            "width",
            "height",
            "incomplete",
            "content_type",
            "byte_size",
            "frames",
            "duration",
            "created_at",
            "captured_at",
            "taken_at",
            "camera",
            "exif",
            "rating",
            "placeholder",
            "owner",
            "is_owner",
            "favourite",
            "urls",
            *OWNERS_EYES_ONLY,
            *JUDGED_EYES_ONLY,
        ]
        read_only_fields = fields

    def get_error(self, image: Image) -> str:
        """Translate the reason, which is stored in English."""
        return _(image.index_error) if image.index_error else ""

    def get_is_owner(self, image: Image) -> bool:
        return image.is_owned_by(self._viewer)

    @extend_schema_field(serializers.DateTimeField())
    def get_created_at(self, image: Image) -> str:
        return in_iso_form(image.created_at.astimezone(self._zone))

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_captured_at(self, image: Image) -> str | None:
        return None if image.captured_at is None else self.get_taken_at(image)

    @extend_schema_field(serializers.DateTimeField())
    def get_taken_at(self, image: Image) -> str:
        """Return the local time. Others do not get its offset, which tells roughly where the
        picture was taken."""
        offset = image.offset if self.get_is_owner(image) else None
        return told(image.taken_at, offset, self._zone)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_captured_offset(self, image: Image) -> str | None:
        return offset_text(image.offset)

    @extend_schema_field(RecipeSerializer(allow_null=True))
    def get_recipe(self, image: Image) -> dict[str, Any] | None:
        return looks.as_shown(image.recipe)

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_archived(self, image: Image) -> bool:
        return image.archived_at is not None

    @extend_schema_field(serializers.ListField(child=serializers.CharField(), allow_null=True))
    def get_tags(self, image: Image) -> list[str]:
        return image.tag_names

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_hidden(self, image: Image) -> bool:
        return image.hidden_at is not None

    @extend_schema_field(ImageUrlsSerializer)
    def get_urls(self, image: Image) -> dict[str, str]:
        site, file, thumbnail, page = self._addresses
        pk = str(image.pk)
        return {
            "file": site + file.replace(_ANY, pk),
            "thumbnail": site + thumbnail(image.pk, image.edition),
            "page": site + page.replace(_ANY, pk),
        }

    # These are the same for all pictures of a page and slow to look up, so they are cached.

    @cached_property
    def _viewer(self) -> Viewer:
        viewer: Viewer = self.context["request"].user
        return viewer

    @cached_property
    def _zone(self) -> tzinfo:
        return timezone.get_current_timezone()

    @cached_property
    def _addresses(self) -> tuple[str, str, Callable[[UUID, str], str], str]:
        request, prefix = self.context["request"], get_script_prefix()
        site = f"{request.scheme}://{request.get_host()}"
        file, page = _path("api:image-file", prefix), _path("image", prefix)
        return site, file, thumbnails.addresses(), page

    def to_representation(self, image: Image) -> dict[str, Any]:
        shown = super().to_representation(image)
        if not shown["is_owner"]:
            shown.update(dict.fromkeys(OWNERS_EYES_ONLY))
            if not getattr(self._viewer, "is_moderator", False):
                shown.update(dict.fromkeys(JUDGED_EYES_ONLY))
        return shown


@lru_cache
def _path(name: str, _prefix: str) -> str:
    """Return the path with a placeholder id. It is cached, because `reverse` is slow."""
    return reverse(name, args=[_ANY])


class UploadedImageSerializer(ImageSerializer):
    """The picture, and whether you had it already."""

    duplicate = serializers.BooleanField(
        read_only=True,
        help_text="Whether you had uploaded the same bytes before: this is that picture.",
    )
    restored = serializers.BooleanField(
        read_only=True, help_text="Whether that picture was restored from the trash."
    )

    class Meta(ImageSerializer.Meta):
        fields = [*ImageSerializer.Meta.fields, "duplicate", "restored"]
        read_only_fields = fields


class EditedImageSerializer(ImageSerializer):
    """The picture as it looks now, and what undoes the edit."""

    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, for 30 days; null if nothing changed."
    )

    class Meta(ImageSerializer.Meta):
        fields = [*ImageSerializer.Meta.fields, "undo"]
        read_only_fields = fields

    def get_undo(self, image: Image) -> str | None:
        return undo_address(self, self.context["change"])


class ImageTextsSerializer(serializers.ModelSerializer):
    class Meta:
        model = Image
        fields = ["title", "description", "visibility"]


class ImageChangesSerializer(ImageTextsSerializer):
    """The changes that an owner may make. All fields are optional."""

    captured_at = ClockField(
        required=False,
        allow_null=True,
        help_text="The local time at the place of capture, with its offset. Without one, the "
        "known offset stays.",
    )
    archived = serializers.BooleanField(required=False)
    rating = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_STARS, help_text="Stars. 0: none."
    )
    tags = tag_names(required=False, help_text="All tags that the picture will have.")

    class Meta(ImageTextsSerializer.Meta):
        fields = [*ImageTextsSerializer.Meta.fields, "captured_at", "archived", "rating", "tags"]


class UploadSerializer(ImageTextsSerializer):
    """A picture to add, with its texts and visibility."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP."
    )

    class Meta(ImageTextsSerializer.Meta):
        fields = ["file", *ImageTextsSerializer.Meta.fields]
