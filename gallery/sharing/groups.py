"""Groups of people. The owner sets the members; members see the group and may leave it."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.library import caps
from gallery.models import Group, User
from gallery.models.share import GroupQuerySet
from gallery.sharing.names import clean_name
from gallery.sharing.people import find_person
from gallery.trail import Event


def groups_of(user: User) -> GroupQuerySet:
    """The groups that `user` owns or is in, with their owner and `member_count`."""
    return Group.objects.visible_to(user).with_member_count().select_related("owner")


def create_group(owner: User, name: str) -> Group:
    """Create a group. Raises Refusal (no_name, name_too_long, group_exists, too_many_groups)."""
    group = Group(owner=owner, name=_clean(name))
    with transaction.atomic():
        caps.hold_room(caps.GROUPS, owner)
        _save(group)
    return group


def rename_group(group: Group, name: str) -> None:
    """Rename a group. Raises Refusal (no_name, name_too_long, group_exists)."""
    group.name = _clean(name)
    _save(group)


def delete_group(group: Group) -> None:
    """Delete a group. Its members lose albums that were shared with them only through it."""
    with transaction.atomic():
        trail.record(Event.GROUP_DELETED, group.owner, group, name=group.name)
        group.delete()


def add_member(group: Group, name: str) -> User:
    """Add the person with this username. Raises Refusal (unknown_user, is_you,
    too_many_members) or TooManyAttempts."""
    person = find_person(name, group.owner)
    with transaction.atomic():
        if not group.members.filter(pk=person.pk).exists():
            caps.hold_room(caps.MEMBERS, group.owner, of=group)
        group.members.add(person)
        trail.record(Event.MEMBER_ADDED, group.owner, group, user=person.get_username())
    return person


def remove_member(group: Group, person: User) -> None:
    with transaction.atomic():
        group.members.remove(person)
        trail.record(Event.MEMBER_REMOVED, group.owner, group, user=person.get_username())


def _clean(name: str) -> str:
    name = clean_name(name)
    if not name:
        raise Refusal("no_name", _("Give the group a name."), "name")
    return name


def _save(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as error:
        raise Refusal(
            "group_exists",
            _("You have a group with this name already. Choose another name."),
            "name",
        ) from error
