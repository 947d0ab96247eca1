"""Groups of near-duplicates among a user's own pictures: which one to keep, and dismissing pairs
that are different pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import keyset
from gallery.errors import Refusal
from gallery.indexing import near_duplicates, spaces
from gallery.indexing.near_duplicates import Pair, Progress
from gallery.indexing.selectors import with_display_fields
from gallery.library.user_lock import lock_user
from gallery.models import Change, Image, NearDuplicate, User
from gallery.organising import changes, copies, merging
from gallery.organising.merging import Merged

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# The most pictures of a group: as many as users can compare, and choose with the keys 1 to 9.
MAX_PICTURES = 9
# The most groups that one act merges.
MAX_AT_ONCE = 1000


@dataclass(frozen=True)
class Group:
    """Pictures that show the same, the one to keep first. `is_certain`: the others are mere
    copies of it."""

    images: list[Image]
    pairs: list[Pair]
    is_certain: bool

    @property
    def key(self) -> UUID:
        return min(image.pk for image in self.images)

    @property
    def keep(self) -> Image:
        return self.images[0]

    @property
    def others(self) -> list[Image]:
        return self.images[1:]


# --- Groups -----------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """The ids of a group and the pairs that make it one."""

    ids: frozenset[UUID]
    pairs: tuple[Pair, ...]

    @property
    def key(self) -> UUID:
        return min(self.ids)

    @property
    def closeness(self) -> float:
        """The similarity of its closest pair. Lists are sorted by it."""
        return max(pair.similarity for pair in self.pairs)


_CLOSEST_FIRST = keyset.Order("closeness", key="key", read=float)


def page(user: User, after: str | None, size: int) -> tuple[list[Group], str | None]:
    """Return `size` groups after the cursor `after`, the closest first, and the cursor of the
    next page (None on the last one). Groups that are settled meanwhile do not shift others.

    Raises Refusal (bad_cursor).
    """
    found = sorted(clusters(_own_pairs(user)), key=_place)
    if after:
        closeness, key = _CLOSEST_FIRST.parse(after)
        found = [cluster for cluster in found if _place(cluster) > (-closeness, key)]
    shown = found[:size]
    more = f"{shown[-1].closeness!r}~{shown[-1].key}" if len(found) > size else None
    return _groups(shown, with_display_fields(Image.objects.owned_by(user), user)), more


def count(user: User) -> int:
    return len(clusters(_own_pairs(user)))


def around(image: Image, user: User) -> Group | None:
    """Return the group that contains a picture, or None."""
    found = [one for one in clusters(_own_pairs(user)) if image.pk in one.ids]
    groups = _groups(found, with_display_fields(Image.objects.owned_by(user), user))
    return groups[0] if groups else None


def beside(image: Image, user: User) -> int:
    """Return how many of the user's pictures are near-duplicates of this one, which is also
    theirs."""
    return _own_pairs(user).filter(Q(first=image.pk) | Q(second=image.pk)).count()


def certain(user: User) -> list[Group]:
    """Return groups that can be merged without a review, at most MAX_AT_ONCE."""
    alike = _own_pairs(user).filter(bits__lte=copies.MOST_BITS)
    groups = _groups(clusters(alike), Image.objects.owned_by(user).only(*_JUDGED))
    return [group for group in groups if group.is_certain][:MAX_AT_ONCE]


def progress(user: User) -> Progress:
    """Return how many of the user's pictures have been compared."""
    return near_duplicates.progress(Image.objects.owned_by(user))


def _own_pairs(user: User) -> QuerySet[NearDuplicate]:
    """Return pairs of the user's pictures that are not in the trash and were not dismissed."""
    return NearDuplicate.objects.filter(
        first__owner_id=user.pk,
        second__owner_id=user.pk,
        first__deleted_at__isnull=True,
        second__deleted_at__isnull=True,
        dismissed_at__isnull=True,
    )


def _place(cluster: Cluster) -> tuple[float, UUID]:
    return -cluster.closeness, cluster.key


def clusters(stored: QuerySet[NearDuplicate]) -> list[Cluster]:
    """Return clusters of connected pictures, at most MAX_PICTURES in each. The closest pairs are
    joined first (single linkage by Kruskal's algorithm). Pictures that would make a cluster too
    large wait until it is settled."""
    rows = stored.order_by("-similarity", "first_id", "second_id")
    known = rows.values_list("first_id", "second_id", "similarity", "bits", "difference")
    pairs = [Pair(*row) for row in known]
    members: dict[UUID, set[UUID]] = {}
    for pair in pairs:
        one = members.setdefault(pair.first, {pair.first})
        other = members.setdefault(pair.second, {pair.second})
        if one is not other and len(one) + len(other) <= MAX_PICTURES:
            one |= other
            members.update(dict.fromkeys(other, one))
    inside: dict[int, list[Pair]] = {}
    for pair in pairs:
        if members[pair.first] is members[pair.second]:
            inside.setdefault(id(members[pair.first]), []).append(pair)
    return [Cluster(frozenset(members[some[0].first]), tuple(some)) for some in inside.values()]


def _groups(found: Iterable[Cluster], images: ImageQuerySet) -> list[Group]:
    """Return the clusters with their pictures, in the order of `found`."""
    found = list(found)
    wanted = [pk for cluster in found for pk in cluster.ids]
    by_id = {image.pk: image for image in images.filter(pk__in=wanted).order_by()}
    groups = []
    for cluster in found:
        shown = sorted((by_id[pk] for pk in cluster.ids if pk in by_id), key=_merit, reverse=True)
        # A picture may have been deleted since the pairs were read.
        if len(shown) > 1:
            groups.append(
                Group(shown, list(cluster.pairs), copies.are_copies(shown, cluster.pairs))
            )
    return groups


# The fields that `_merit` and `copies` use.
_JUDGED = [
    "width",
    "height",
    "edition",
    "content_type",
    "camera",
    "byte_size",
    "title",
    "description",
    "captured_at",
    "is_offset_known",
    "taken_at",
    "frames",
    "incomplete",
    "sha256",
    "latitude",
    "created_at",
    "placeholder",
]


def _merit(image: Image) -> tuple[Any, ...]:
    """Return a sort key that is largest for the picture to keep: a complete file, then more
    pixels, a known camera, more bytes, more notes by its owner, an earlier upload."""
    notes = (image.title, image.description, image.captured_at, image.latitude)
    return (
        not image.incomplete,
        image.width * image.height,
        bool(image.camera),
        image.byte_size,
        sum(note not in (None, "") for note in notes),
        -image.created_at.timestamp(),
        image.pk,
    )


# --- Acts -------------------------------------------------------------------------


def merge_certain(user: User) -> Merged:
    """Merge all groups that are certain, at most MAX_AT_ONCE, as one act."""
    groups = certain(user)
    return merging.merge_all(
        user, {group.keep.pk: [image.pk for image in group.others] for group in groups}
    )


@transaction.atomic
def dismiss(user: User, ids: Sequence[UUID], of: UUID | None = None) -> tuple[int, Change | None]:
    """Mark the user's pictures as different: each of `ids` from each other, or with `of`, only
    this one from the others. They are neither grouped nor folded any more, even if a later
    comparison finds them similar.

    Returns how many pairs were dismissed, and what undoes it. Raises Refusal (bad_dismissal),
    and Image.DoesNotExist for pictures of others.
    """
    wanted = {*ids, *([of] if of else [])}
    if not 2 <= len(wanted) <= merging.MAX_GROUP:
        raise Refusal(
            "bad_dismissal",
            _("Name from 2 to %(most)d different pictures.") % {"most": merging.MAX_GROUP},
            "ids",
        )
    lock_user(user)
    own = Image.objects.filter(pk__in=wanted, owner_id=user.pk).order_by("pk")
    if len(own.select_for_update(no_key=True).values_list("pk")) < len(wanted):
        raise Image.DoesNotExist
    ordered = sorted(wanted)
    pairs = [pair for pair in combinations(ordered, 2) if of is None or of in pair]
    moment = timezone.now()
    told_apart, made = _tell_apart(pairs, moment)
    if not told_apart and not made:
        return 0, None
    before = {
        "ids": [str(pk) for pk in ordered],
        "pairs": told_apart,
        "made": made,
        "moment": moment.isoformat(),
    }
    change = changes.record(user, "dismiss_duplicates", before)
    return len(told_apart) + len(made), change


def _tell_apart(
    pairs: Sequence[tuple[UUID, UUID]], moment: datetime
) -> tuple[list[int], list[int]]:
    """Dismiss pairs that are known, and store unknown ones as dismissed, measured if possible.
    Returns the ids of both."""
    active = spaces.active_space()
    space = active.pk if active else None
    columns = [[first for first, _second in pairs], [second for _first, second in pairs]]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gallery_nearduplicate known SET dismissed_at = %s"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS pair (first, second)"
            " WHERE known.first_id = pair.first AND known.second_id = pair.second"
            " AND known.dismissed_at IS NULL RETURNING known.id",
            [moment, *columns],
        )
        told_apart = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO gallery_nearduplicate"
            " (first_id, second_id, similarity, bits, dismissed_at, created_at)"
            " SELECT pair.first, pair.second, coalesce(1 - (one.vector <=> other.vector), 0),"
            "  coalesce(bit_count((image.perceptual_hash # twin.perceptual_hash)::bit(64)), 64),"
            "  %s, now()"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS pair (first, second)"
            " JOIN gallery_image image ON image.id = pair.first"
            " JOIN gallery_image twin ON twin.id = pair.second"
            " LEFT JOIN gallery_embedding one ON one.image_id = pair.first AND one.space_id = %s"
            " LEFT JOIN gallery_embedding other"
            "  ON other.image_id = pair.second AND other.space_id = %s"
            " ON CONFLICT (first_id, second_id) DO NOTHING RETURNING id",
            [moment, *columns, space, space],
        )
        return told_apart, [row[0] for row in cursor.fetchall()]
