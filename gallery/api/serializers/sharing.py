"""Shares, groups and links as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.api.serializers.images import OwnerSerializer, thumbnail_address
from gallery.api.serializers.selection import SelectionSerializer
from gallery.library import thumbnails
from gallery.models import Album, AlbumRole, Image, Notice, ShareLink, Viewer
from gallery.organising import album_summaries
from gallery.sharing import links
from gallery.sharing.selections import MOST_NAMES, Shared


class GroupNameSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class ShareSerializer(serializers.Serializer):
    """The share of an album with one person or one group."""

    id = serializers.UUIDField()
    user = OwnerSerializer(allow_null=True)
    group = GroupNameSerializer(allow_null=True)
    role = serializers.ChoiceField(AlbumRole.choices)
    created_at = serializers.DateTimeField()


class NewShareSerializer(serializers.Serializer):
    """Either `user` or `group`, and the role."""

    user = serializers.CharField(max_length=150, required=False, help_text="An exact username.")
    group = serializers.UUIDField(required=False, help_text="One of your groups.")
    role = serializers.ChoiceField(AlbumRole.choices, default=AlbumRole.VIEW)


class RoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(AlbumRole.choices)


class LeftSerializer(serializers.Serializer):
    still_through = serializers.ListField(
        child=serializers.CharField(),
        help_text="Your groups that the album is shared with: you see it until you leave them.",
    )


class WithdrawnSerializer(serializers.Serializer):
    withdrawn = serializers.IntegerField(help_text="How many pictures were removed.")


class ContributedAlbumSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.SerializerMethodField()
    owner = OwnerSerializer()

    def get_title(self, album: Album) -> str:
        return album_summaries.name_of(album, self.context["request"].user)


class ContributionSerializer(serializers.Serializer):
    """Another user's album that contains pictures of yours."""

    album = ContributedAlbumSerializer(source="*")
    count = serializers.IntegerField(help_text="How many of its pictures are yours.")
    visible = serializers.BooleanField(help_text="Whether you still see the album.")


# --- Groups -----------------------------------------------------------------------


class GroupSerializer(serializers.Serializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=100)
    owner = OwnerSerializer(read_only=True)
    is_owner = serializers.SerializerMethodField()
    member_count = serializers.IntegerField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_is_owner(self, group: Any) -> bool:
        return bool(group.owner_id == self.context["request"].user.pk)


class GroupDetailSerializer(GroupSerializer):
    members = OwnerSerializer(many=True, read_only=True)


class MemberSerializer(serializers.Serializer):
    user = serializers.CharField(max_length=150, help_text="An exact username.")


# --- Links ------------------------------------------------------------------------


class TargetSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField(allow_null=True)


class LinkSerializer(serializers.Serializer):
    """A share link, as shown to those who may change it."""

    id = serializers.UUIDField()
    kind = serializers.SerializerMethodField()
    album = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()
    name = serializers.CharField()
    url = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    has_password = serializers.SerializerMethodField()
    allow_download = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)
    max_uses = serializers.IntegerField(allow_null=True)
    use_count = serializers.IntegerField(help_text="Visits, not requests.")
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    created_by = OwnerSerializer()

    @extend_schema_field(serializers.ChoiceField(["album", "image"]))
    def get_kind(self, link: ShareLink) -> str:
        return "album" if link.album_id else "image"

    @extend_schema_field(TargetSerializer(allow_null=True))
    def get_album(self, link: ShareLink) -> dict[str, Any] | None:
        return self._target(link.album, link)

    @extend_schema_field(TargetSerializer(allow_null=True))
    def get_image(self, link: ShareLink) -> dict[str, Any] | None:
        return self._target(link.image, link)

    @extend_schema_field(serializers.URLField())
    def get_url(self, link: ShareLink) -> str:
        page = reverse("shared", args=[link.token])
        return str(self.context["request"].build_absolute_uri(page))

    @extend_schema_field(serializers.ChoiceField(links.STATES))
    def get_state(self, link: ShareLink) -> str:
        return links.state_of(link)

    def get_has_password(self, link: ShareLink) -> bool:
        return bool(link.password)

    def _target(self, target: Album | Image | None, link: ShareLink) -> dict[str, Any] | None:
        """Return the id, and the title if the link's creator may still share the target.
        Otherwise the creator may no longer see it."""
        if target is None:
            return None
        title = None if not link.is_standing else _title_of(target, self.context["request"].user)
        return {"id": target.pk, "title": title}


def _title_of(target: Album | Image, viewer: Viewer) -> str:
    return target.title if isinstance(target, Image) else album_summaries.name_of(target, viewer)


class LinkChangesSerializer(serializers.Serializer):
    """The settings of a link. All fields are optional."""

    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    password = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        trim_whitespace=False,
        help_text="Empty or null: none. A new password ends visits with the old one.",
    )
    allow_download = serializers.BooleanField(required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    max_uses = serializers.IntegerField(
        required=False, allow_null=True, help_text="Visits, not requests; null: any number."
    )


class NewLinkSerializer(LinkChangesSerializer):
    """Either `album` or `image`, and the settings of the link."""

    album = serializers.UUIDField(required=False)
    image = serializers.UUIDField(required=False)


# --- Selections and notices -------------------------------------------------------


class ShareSelectionSerializer(SelectionSerializer):
    """With whom the selected pictures are shared: at least one person, group or link."""

    title = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Empty: everybody reads how many they are, and from when.",
    )
    users = serializers.ListField(
        child=serializers.CharField(max_length=150),
        required=False,
        max_length=MOST_NAMES,
        help_text="Exact usernames.",
    )
    groups = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MOST_NAMES
    )
    link = serializers.BooleanField(
        required=False, help_text="Also make a link that opens for anyone."
    )


class SharedSelectionSerializer(serializers.Serializer):
    album = serializers.SerializerMethodField(
        help_text="Holds the pictures. It is listed under Sharing only."
    )
    page = serializers.SerializerMethodField()
    shared_with = serializers.ListField(
        child=serializers.CharField(), help_text="The shown names of the people and groups."
    )
    count = serializers.IntegerField(help_text="Pictures that are shared.")
    skipped = serializers.IntegerField(help_text="Pictures of others, which you may not share.")
    link = serializers.SerializerMethodField(help_text="The address of the link, or null.")
    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, for 30 days."
    )

    @extend_schema_field(TargetSerializer)
    def get_album(self, shared: Shared) -> dict[str, Any]:
        return {"id": shared.album.pk, "title": _title_of(shared.album, shared.album.owner)}

    @extend_schema_field(serializers.URLField())
    def get_page(self, shared: Shared) -> str:
        return self._absolute("album", shared.album.pk)

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_link(self, shared: Shared) -> str | None:
        return self._absolute("shared", shared.link.token) if shared.link else None

    def get_undo(self, shared: Shared) -> str | None:
        return undo_address(self, shared.undo)

    def _absolute(self, route: str, key: object) -> str:
        return str(self.context["request"].build_absolute_uri(reverse(route, args=[key])))


class NoticeSerializer(serializers.Serializer):
    """Something that was shared with you, as long as it is."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Notice.Kind.choices)
    actor = OwnerSerializer(allow_null=True, help_text="Who shared it; null: the account is gone.")
    album = ContributedAlbumSerializer()
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(allow_null=True)


class NoticesSeenSerializer(serializers.Serializer):
    seen = serializers.IntegerField(help_text="How many were new.")


# --- Content of a link ------------------------------------------------------------


class SharedSerializer(serializers.Serializer):
    """The content of a link. While the link is locked, all fields except `locked` and
    `needs_password` are null. `unlock/` opens it."""

    locked = serializers.BooleanField()
    needs_password = serializers.BooleanField()
    kind = serializers.ChoiceField(["album", "image"], allow_null=True)
    title = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True, help_text="The name shown to others.")
    count = serializers.IntegerField(allow_null=True)
    allow_download = serializers.BooleanField(allow_null=True)
    key = serializers.CharField(
        allow_null=True, help_text="The key of the new visit, for the header `X-Share-Key`."
    )


class PasswordSerializer(serializers.Serializer):
    password = serializers.CharField(
        max_length=128, required=False, default="", allow_blank=True, trim_whitespace=False
    )


class KeySerializer(serializers.Serializer):
    key = serializers.CharField(help_text="For the header `X-Share-Key`; valid for a day.")


class SharedUrlsSerializer(serializers.Serializer):
    file = serializers.URLField()
    thumbnail = thumbnail_address()
    page = serializers.URLField()


class SharedImageSerializer(serializers.Serializer):
    """A picture as a link shows it, without the place, the time and the camera."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    description = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    placeholder = serializers.CharField()
    urls = serializers.SerializerMethodField()

    @extend_schema_field(SharedUrlsSerializer)
    def get_urls(self, image: Image) -> dict[str, str]:
        token = self.context["link"].token
        absolute = self.context["request"].build_absolute_uri
        return {
            "file": absolute(reverse("api:shared-file", args=[token, image.pk])),
            "thumbnail": absolute(thumbnails.address(image.pk, link=token, edition=image.edition)),
            "page": absolute(reverse("shared_image", args=[token, image.pk])),
        }
