"""What people say of pictures: they are of a category, or they are not.

Answers belong to pictures and categories, not to vectors, and no machine changes them. The last
word counts, whoever says it. Where categories exclude each other, a yes replaces an earlier yes
to another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gallery import dispatch, task_names
from gallery.errors import Refusal
from gallery.indexing.selectors import visible_to
from gallery.labels import sets
from gallery.labels.definition import Mode, newest
from gallery.library import undo_log
from gallery.models import Answer, Change, Image, LabelSet, User

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

MAX_ANSWERS = 1000


@dataclass(frozen=True)
class Given:
    """One answer. `verdict` None takes an answer back. `category` is an id or a name."""

    image: UUID
    category: str
    verdict: bool | None


@transaction.atomic
def give(label_set: LabelSet, user: User, given: Sequence[Given]) -> Change | None:
    """Store answers, all or none. Returns what undoes them; None if nothing changes.

    Raises Refusal (no_answers, too_many_answers, unknown_category, unknown_image,
    contradictory_answers), naming `answers.3.image` and the like.
    """
    _refuse_counts(given)
    # Answers to one set come one after the other: a yes looks at the others.
    LabelSet.objects.select_for_update(no_key=True).get(pk=label_set.pk)
    categories = _categories(label_set, given)
    _refuse_unknown(label_set, user, given)
    wanted = _consistent(label_set, given, categories)
    former = _former(label_set, list({image for image, _category in wanted}))
    changes = {pair: verdict for pair, verdict in wanted.items() if former.get(pair) != verdict}
    if newest(label_set).mode == Mode.ONE:
        changes |= _replaced(changes, former)
    if not changes:
        return None
    _write(user, changes)
    dispatch.on_commit(task_names.MAINTAIN_LABELS)
    before = [
        [str(image), str(category), former.get((image, category)), verdict]
        for (image, category), verdict in changes.items()
    ]
    return undo_log.record(user, "answer_labels", {"set": str(label_set.pk), "answers": before})


@transaction.atomic
def undo(before: Mapping[str, Any], user: User) -> int:
    """Undo `give`, except where a newer answer has replaced it. Returns how many answers are
    again as they were."""
    found = LabelSet.objects.select_for_update(no_key=True).filter(pk=before["set"])
    label_set = found.filter(deleted_at=None).first()
    if label_set is None:
        return 0
    pairs = {
        (UUID(image), UUID(category)): (former, given)
        for image, category, former, given in before["answers"]
    }
    images = list({image for image, _category in pairs})
    allowed = set(_answerable(label_set, user).filter(pk__in=images).values_list("pk", flat=True))
    now = _former(label_set, images)
    back = {
        pair: former
        for pair, (former, given) in pairs.items()
        if pair[0] in allowed and now.get(pair) == given
    }
    _write(user, back)
    dispatch.on_commit(task_names.MAINTAIN_LABELS)
    return len(back)


def _answerable(label_set: LabelSet, user: User) -> ImageQuerySet:
    """Return the pictures of which `user` may answer: those that they may see or, of a set that
    they may not change, their own."""
    if LabelSet.objects.changeable_by(user).filter(pk=label_set.pk).exists():
        return visible_to(user)
    owned: ImageQuerySet = Image.objects.owned_by(user)
    return owned


def answerable_sets(image: Image, user: User | AnonymousUser) -> QuerySet[LabelSet]:
    """Return the sets for which `user` may answer of this picture (see `_answerable`)."""
    if not isinstance(user, User):
        return LabelSet.objects.none()
    if image.is_owned_by(user):
        return LabelSet.objects.visible_to(user)
    changeable = LabelSet.objects.changeable_by(user)
    return changeable if visible_to(user).filter(pk=image.pk).exists() else changeable.none()


def _refuse_counts(given: Sequence[Given]) -> None:
    if not given:
        raise Refusal("no_answers", _("Give at least one answer."), "answers")
    if len(given) > MAX_ANSWERS:
        raise Refusal(
            "too_many_answers",
            _("Give at most %(most)d answers at once.") % {"most": MAX_ANSWERS},
            "answers",
        )


def _categories(label_set: LabelSet, given: Sequence[Given]) -> dict[str, UUID]:
    """Return the ids of the categories as they are written."""
    found: dict[str, UUID] = {}
    for number, answer in enumerate(given):
        if answer.category not in found:
            at = f"answers.{number}.category"
            found[answer.category] = sets.category(label_set, answer.category, at).pk
    return found


def _refuse_unknown(label_set: LabelSet, user: User, given: Sequence[Given]) -> None:
    ids = {answer.image for answer in given}
    known = _answerable(label_set, user).filter(pk__in=ids).values_list("pk", flat=True)
    missing = ids - set(known)
    for number, answer in enumerate(given):
        if answer.image in missing:
            raise Refusal(
                "unknown_image",
                _("There is no such picture, or it is not yours to answer for."),
                f"answers.{number}.image",
            )


def _consistent(
    label_set: LabelSet, given: Sequence[Given], categories: Mapping[str, UUID]
) -> dict[tuple[UUID, UUID], bool | None]:
    """Return the verdicts by picture and category. Raises Refusal (contradictory_answers)."""
    excludes = newest(label_set).mode == Mode.ONE
    found: dict[tuple[UUID, UUID], bool | None] = {}
    yes: dict[UUID, UUID] = {}
    for number, answer in enumerate(given):
        category = categories[answer.category]
        pair = (answer.image, category)
        clashes = pair in found and found[pair] != answer.verdict
        if answer.verdict and excludes:
            clashes = clashes or yes.setdefault(answer.image, category) != category
        if clashes:
            raise Refusal(
                "contradictory_answers",
                _("Two answers for one picture contradict each other: nothing was stored."),
                f"answers.{number}",
            )
        found[pair] = answer.verdict
    return found


def _former(label_set: LabelSet, images: Sequence[UUID]) -> dict[tuple[UUID, UUID], bool | None]:
    rows = Answer.objects.filter(category__label_set=label_set, image__in=images)
    return {
        (image, category): verdict
        for image, category, verdict in rows.values_list("image_id", "category_id", "verdict")
    }


def _replaced(
    changes: Mapping[tuple[UUID, UUID], bool | None],
    former: Mapping[tuple[UUID, UUID], bool | None],
) -> dict[tuple[UUID, UUID], bool | None]:
    """Return what becomes of earlier yes answers to pictures with a new one: they are taken
    back."""
    yes = {image for (image, _category), verdict in changes.items() if verdict}
    return {
        pair: None
        for pair, verdict in former.items()
        if verdict and pair[0] in yes and pair not in changes
    }


def _write(user: User, verdicts: Mapping[tuple[UUID, UUID], bool | None]) -> None:
    """Write answers, and delete those whose verdict is None. Pictures that are gone are
    skipped."""
    taken_back = [pair for pair, verdict in verdicts.items() if verdict is None]
    said = [(*pair, verdict) for pair, verdict in verdicts.items() if verdict is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_answer answer USING unnest(%s::uuid[], %s::uuid[])"
            " AS gone (image_id, category_id)"
            " WHERE answer.image_id = gone.image_id AND answer.category_id = gone.category_id",
            [[image for image, _category in taken_back], [pk for _image, pk in taken_back]],
        )
        # A picture of the random sample keeps its stratum: only such answers say something of
        # all pictures.
        cursor.execute(
            "INSERT INTO gallery_answer (image_id, category_id, verdict, by_id, at, stratum)"
            " SELECT image.id, said.category_id, said.verdict, %s, now(), question.stratum"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::boolean[])"
            "  AS said (image_id, category_id, verdict)"
            " JOIN gallery_image image ON image.id = said.image_id"
            " LEFT JOIN gallery_question question ON question.image_id = said.image_id"
            "  AND question.category_id = said.category_id"
            " ON CONFLICT (category_id, image_id) DO UPDATE SET verdict = excluded.verdict,"
            "  by_id = excluded.by_id, at = excluded.at, stratum = excluded.stratum",
            [user.pk, *([row[column] for row in said] for column in range(3))],
        )
