"""Making, changing and deleting label sets.

A change of the definition makes a new version. Categories stay the same rows, by their ids or
else by their names, so that answers and labels stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import dispatch, spelling, task_names, trail
from gallery.errors import Refusal
from gallery.labels import fitting
from gallery.labels.definition import (
    CategoryForm,
    Definition,
    checked,
    clean_set_name,
    newest,
)
from gallery.library import caps, undo_log
from gallery.library.user_lock import lock_user
from gallery.models import (
    Category,
    Change,
    Label,
    LabelJob,
    LabelSet,
    LabelSetVersion,
    User,
)
from gallery.models.labels import LabelSetQuerySet
from gallery.models.words import called
from gallery.trail import Event

# How long a deleted set can be restored. Like all acts (gallery.organising.changes).
KEEP = timedelta(days=30)
_LABELS_AT_ONCE = 20_000

# Kind and share of a wish as `Category` stores them, and those of a threshold without one.
StoredWish = tuple[str, float | None]
NO_WISH: StoredWish = ("", None)
# A category, its former and new threshold, its former and new wish.
ThresholdChange = tuple[str, float | None, float | None, StoredWish, StoredWish]


# --- Make and change --------------------------------------------------------------


@transaction.atomic
def create(
    user: User, name: str, definition: Definition, *, site: bool = False, renamed: bool = False
) -> LabelSet:
    """Make a set of `user` or, with `site`, of the site. A name that is taken is refused or, if it
    may be `renamed`, gets a number. Raises Refusal (name_missing,
    name_too_long, name_taken, too_many_label_sets, not_administrator)."""
    if site and not user.is_administrator:
        raise Refusal(
            "not_administrator", _("Only administrators make label sets for all."), "site"
        )
    owner = None if site else user
    _lock(user, owner)
    name = clean_set_name(name)
    if renamed:
        name = _free_name(owner, name)
    _refuse_taken(owner, name)
    label_set = LabelSet.objects.create(owner=owner, name=name)
    caps.refuse_beyond(caps.LABEL_SETS, owner)
    _add_version(label_set, definition)
    _record(Event.LABEL_SET_MADE, label_set)
    return label_set


@transaction.atomic
def update(
    label_set: LabelSet,
    user: User,
    *,
    name: str | None = None,
    thresholds: Mapping[str, float | None] | None = None,
    **changes: Any,
) -> LabelSet:
    """Change what is given: the name, the least probabilities of labels by category (id or
    name; null: the usual one), or fields of the definition, which make a new version.
    `categories` are then all categories. Raises Refusal."""
    _lock(user, label_set.owner)
    label_set = LabelSet.objects.select_for_update(no_key=True).get(pk=label_set.pk)
    if name is not None:
        name = clean_set_name(name)
        _refuse_taken(label_set.owner, name, besides=label_set)
        label_set.name = name
    label_set.save(update_fields=["name", "updated_at"])
    if changes:
        former = Definition.of(newest(label_set))
        wanted = checked(**{**_fields(former), **changes})
        if _is_other(former, wanted):
            _add_version(label_set, wanted)
    if thresholds:
        _set_thresholds(label_set, thresholds)
    _record(Event.LABEL_SET_CHANGED, label_set)
    return label_set


@transaction.atomic
def set_thresholds(
    label_set: LabelSet,
    user: User,
    thresholds: Mapping[str, float | None],
    wish: StoredWish = NO_WISH,
) -> Change | None:
    """Set the least probabilities of labels by category, as `update` does, and the `wish` that
    they are to meet. Returns what undoes it; None if nothing changes."""
    _lock(user, label_set.owner)
    label_set = LabelSet.objects.select_for_update(no_key=True).get(pk=label_set.pk)
    changes = _set_thresholds(label_set, thresholds, wish)
    if not changes:
        return None
    _record(Event.LABEL_SET_CHANGED, label_set)
    before = {"set": str(label_set.pk), "thresholds": changes}
    return undo_log.record(user, "set_thresholds", before)


@transaction.atomic
def undo_thresholds(before: Mapping[str, Any], user: User) -> int:
    """Undo `set_thresholds`, except where a newer threshold has replaced it. Returns how many
    are again as they were; 0 if the set is gone or no longer the user's."""
    found = LabelSet.objects.changeable_by(user).filter(pk=before["set"])
    label_set = found.select_for_update(no_key=True).first()
    if label_set is None:
        return 0
    restored = sum(_restore_threshold(*change) for change in before["thresholds"])
    if restored:
        fitting.renew_thresholds(label_set)
        _record(Event.LABEL_SET_CHANGED, label_set)
    return restored


def with_version(label_sets: LabelSetQuerySet) -> LabelSetQuerySet:
    """Return the sets with what is shown of them."""
    return label_sets.select_related("owner", "version", "applied__fit__version").annotate(
        name_key=Lower("name")
    )


def categories_of(label_set: LabelSet) -> QuerySet[Category]:
    """Return the categories of the newest version, in their order."""
    return Category.objects.filter(label_set=label_set, retired_at=None).order_by("position", "pk")


def category(label_set: LabelSet, named: object, field: str = "category") -> Category:
    """Return a category by its id or its name. Raises Refusal (unknown_category)."""
    text = str(named)
    known = categories_of(label_set)
    try:
        found = known.filter(pk=UUID(text)).first()
    except ValueError:
        found = called(known, "name", spelling.clean_line(text)).first()
    if found is None:
        raise Refusal(
            "unknown_category",
            _("This label set has no category “%(name)s”.")
            % {"name": spelling.clean_line(text)[:100]},
            field,
        )
    return found


def _fields(definition: Definition) -> dict[str, Any]:
    return {
        "mode": definition.mode,
        "none_of_these": definition.none_of_these,
        "templates": definition.templates,
        "categories": definition.categories,
    }


def _is_other(former: Definition, wanted: Definition) -> bool:
    """Whether the definitions differ. Ids that were not given do not count."""
    known = {spelling.key_of(form.name): form.id for form in former.categories}
    forms = tuple(
        replace(form, id=form.id or known.get(spelling.key_of(form.name)))
        for form in wanted.categories
    )
    return replace(wanted, categories=forms) != former


def _add_version(label_set: LabelSet, definition: Definition) -> None:
    """Add a version and bring the categories in line with it."""
    latest = LabelSetVersion.objects.filter(label_set=label_set).first()
    kept = _with_rows(label_set, definition.categories)
    label_set.version = LabelSetVersion.objects.create(
        label_set=label_set,
        number=latest.number + 1 if latest else 1,
        mode=definition.mode,
        none_of_these=definition.none_of_these,
        templates=list(definition.templates),
        categories=[form.as_json() for form in kept],
    )
    label_set.save(update_fields=["version", "updated_at"])
    dispatch.on_commit(task_names.MAINTAIN_LABELS)


def _with_rows(label_set: LabelSet, forms: Sequence[CategoryForm]) -> list[CategoryForm]:
    """Make, rename, retire and revive rows, and return the forms with their ids."""
    rows = {row.pk: row for row in Category.objects.filter(label_set=label_set)}
    # Of several retired ones of a name the last one counts, and a current one before these.
    by_name = {
        spelling.key_of(row.name): row
        for row in sorted(
            rows.values(), key=lambda row: (row.retired_at is None, row.retired_at or row.pk)
        )
    }
    claimed = {form.id for form in forms if form.id}
    # All are retired first: names may be exchanged.
    Category.objects.filter(label_set=label_set, retired_at=None).update(retired_at=timezone.now())
    kept = []
    for position, form in enumerate(forms):
        if form.id is not None and form.id not in rows:
            raise Refusal(
                "unknown_category",
                _("This label set has no category “%(name)s”.") % {"name": str(form.id)},
                f"categories.{position}.id",
            )
        known = by_name.get(spelling.key_of(form.name))
        reused = known.pk if known is not None and known.pk not in claimed else None
        pk = form.id or reused or uuid4()
        claimed.add(pk)
        kept.append(replace(form, id=pk))
    _write_rows(label_set, kept)
    return kept


def _write_rows(label_set: LabelSet, forms: Sequence[CategoryForm]) -> None:
    """Write the rows of forms with ids: new ones, and those that are there already."""
    ids = {spelling.key_of(form.name): form.id for form in forms}
    written = ("name", "names", "all_names", "position", "parent", "retired_at")
    rows = [
        Category(
            pk=form.id,
            label_set=label_set,
            name=form.name,
            names=dict(form.names),
            all_names=list(dict.fromkeys([form.name, *form.names.values()])),
            position=position,
        )
        for position, form in enumerate(forms)
    ]
    Category.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=written
    )
    below = [(row, form) for row, form in zip(rows, forms, strict=True) if form.parent]
    for row, form in below:
        row.parent_id = ids[spelling.key_of(form.parent)]
    Category.objects.bulk_update([row for row, _form in below], ["parent"])


def _set_thresholds(
    label_set: LabelSet, thresholds: Mapping[str, float | None], wish: StoredWish = NO_WISH
) -> list[ThresholdChange]:
    """Return what changed."""
    known = {str(row.pk): row for row in categories_of(label_set)}
    changes, changed = [], []
    for named, least in thresholds.items():
        if least is not None and not 0 <= least <= 1:
            raise Refusal("bad_threshold", _("A threshold is a number from 0 to 1."), "thresholds")
        row = known.get(str(named)) or category(label_set, named, "thresholds")
        former = (row.wish, row.wish_share)
        if (row.threshold, former) != (least, wish):
            changes.append((str(row.pk), row.threshold, least, former, wish))
            row.threshold, (row.wish, row.wish_share) = least, wish
            changed.append(row)
    if changed:
        Category.objects.bulk_update(changed, ["threshold", "wish", "wish_share"])
        fitting.renew_thresholds(label_set)
        if wish != NO_WISH:
            dispatch.on_commit(task_names.MAINTAIN_LABELS)
    return changes


def _restore_threshold(
    pk: str,
    former: float | None,
    now: float | None,
    former_wish: StoredWish = NO_WISH,
    wish: StoredWish = NO_WISH,
) -> int:
    """Take a change back. Of a wish, workers may have moved the threshold since. Acts of before
    there were wishes name none."""
    kind, share = wish
    rows = Category.objects.filter(pk=pk, wish=kind, wish_share=share)
    if not kind:
        rows = rows.filter(threshold=now)
    kind, share = former_wish
    return rows.update(threshold=former, wish=kind, wish_share=share)


# --- Delete and restore -----------------------------------------------------------


@transaction.atomic
def delete(label_set: LabelSet, user: User) -> Change:
    """Delete a set with its labels and answers. Returns what undoes it."""
    _lock(user, label_set.owner)
    LabelSet.objects.filter(pk=label_set.pk).update(deleted_at=timezone.now())
    _record(Event.LABEL_SET_DELETED, label_set)
    return undo_log.record(user, "delete_label_set", {"id": str(label_set.pk)})


def deleted_of(user: User) -> LabelSetQuerySet:
    """Return the deleted sets that the user may restore, the last one first."""
    own = Q(owner=user) | (Q(owner=None) if user.is_administrator else Q())
    found: LabelSetQuerySet = LabelSet.objects.filter(
        own, deleted_at__gte=timezone.now() - KEEP
    ).order_by("-deleted_at", "pk")
    return found


@transaction.atomic
def restore(before: Mapping[str, Any], user: User) -> int:
    """Undo `delete`. A name that is taken by now gets a number. Returns 1, or 0 if the set is
    gone or no longer the user's."""
    label_set = deleted_of(user).filter(pk=before["id"]).select_for_update().first()
    if label_set is None:
        return 0
    _lock(user, label_set.owner)
    label_set.name = _free_name(label_set.owner, label_set.name)
    label_set.deleted_at = None
    label_set.save(update_fields=["name", "deleted_at", "updated_at"])
    return 1


def purge_deleted() -> None:
    """Remove the sets that can no longer be restored."""
    for label_set in LabelSet.objects.filter(deleted_at__lt=timezone.now() - KEEP):
        purge(label_set)


def purge_of(user: User) -> None:
    """Remove all sets of an account."""
    for label_set in LabelSet.objects.filter(owner=user):
        purge(label_set)


def purge(label_set: LabelSet) -> None:
    """Remove a set for good: its labels in parts, then the rest."""
    # One that is partly removed cannot be restored: it keeps the time of its deletion.
    deleted_at = label_set.deleted_at or timezone.now()
    LabelSet.objects.filter(pk=label_set.pk).update(deleted_at=deleted_at, applied=None)
    for job in LabelJob.objects.filter(label_set=label_set).values_list("pk", flat=True):
        while _remove_labels(job):
            pass
    with transaction.atomic():
        Label.objects.filter(added_by__label_set=label_set).delete()
        LabelSet.objects.filter(pk=label_set.pk).update(version=None)
        label_set.delete()


def _remove_labels(job: UUID) -> bool:
    """Remove a part of the labels of a job. Returns whether there were any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_label WHERE id IN"
            " (SELECT id FROM gallery_label WHERE added_by_id = %s LIMIT %s)",
            [job, _LABELS_AT_ONCE],
        )
        return bool(cursor.rowcount)


# --- Names and locks --------------------------------------------------------------


def _lock(user: User, owner: User | None) -> None:
    """Make changes of the sets of one owner, or of the site, run one after the other."""
    lock_user(user)
    if owner is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('label-sets', 0))")


def _named(owner: User | None, name: str) -> LabelSet | None:
    return called(LabelSet.objects.filter(owner=owner, deleted_at=None), "name", name).first()


def _refuse_taken(owner: User | None, name: str, besides: LabelSet | None = None) -> None:
    taken = _named(owner, name)
    if taken is not None and taken != besides:
        raise Refusal("name_taken", _("There is a label set of this name already."), "name")


def _free_name(owner: User | None, name: str) -> str:
    free, number = name, 1
    while _named(owner, free) is not None:
        number += 1
        ending = f" {number}"
        free = f"{name[: 100 - len(ending)]}{ending}"
    return free


def _record(event: Event, label_set: LabelSet) -> None:
    """Note what happens to sets of the site. What people do with their own is no event."""
    if label_set.is_of_site:
        trail.record(event, target=label_set, name=label_set.name)
