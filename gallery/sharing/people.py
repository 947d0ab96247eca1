"""People to share with. Users must give exact names, and get suggestions only of people whom
they know."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Album, AlbumShare, Group, User
from gallery.sharing import attempt_limits

# The most unknown names in ten minutes: enough for typing errors, too few to enumerate accounts.
_MOST_UNKNOWN_NAMES = 30
_UNKNOWN_NAMES_SECONDS = 600


def find_person(name: str, requester: User) -> User:
    """Return the account with exactly this username. Raises Refusal (unknown_user, is_you) or
    TooManyAttempts."""
    wanted = User.normalize_username(name.strip().removeprefix("@"))
    person = User.objects.filter(username=wanted, is_active=True).first() if wanted else None
    if person is None:
        attempt_limits.count(f"names:{requester.pk}", _MOST_UNKNOWN_NAMES, _UNKNOWN_NAMES_SECONDS)
        raise Refusal(
            "unknown_user",
            _("No account has this username. Check the spelling with its owner."),
            "user",
        )
    if person.pk == requester.pk:
        raise Refusal("is_you", _("That is your own username. Enter somebody else’s."), "user")
    return person


def suggestions(user: User) -> QuerySet[User]:
    """People with whom `user` shares, who share with `user`, and who are in the same groups.
    Never anybody else: accounts cannot be enumerated."""
    shared = AlbumShare.objects.filter(
        Q(album__owner_id=user.pk) | Q(created_by_id=user.pk), user__isnull=False
    )
    owners = Album.objects.visible_to(user).order_by().values("owner_id")
    groups = Group.objects.visible_to(user).order_by()
    known = (
        Q(pk__in=shared.order_by().values("user_id"))
        | Q(pk__in=groups.values("members"))
        | Q(pk__in=owners)
        | Q(pk__in=groups.values("owner"))
    )
    return User.objects.filter(known, is_active=True).exclude(pk=user.pk).order_by("username")
