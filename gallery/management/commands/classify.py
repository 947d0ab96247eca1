"""manage.py classify: apply a label set, or see what that would change."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from gallery.errors import Refusal, Unavailable
from gallery.indexing.spaces import require_active_space
from gallery.labels import applying, evaluating, fitting, previewing, quality
from gallery.labels.scopes import labelled_by
from gallery.models import LabelFit, LabelSet, User
from gallery.models.words import called


class Command(BaseCommand):
    help = "Label all pictures by a label set, show what that would change, or evaluate the set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--label-set", required=True, metavar="ID_OR_NAME", help="the set to label by"
        )
        parser.add_argument("--owner", metavar="USER", help="whose set; without it, of the site")
        parser.add_argument("--dry-run", action="store_true", help="only count the changes")
        parser.add_argument(
            "--evaluate",
            type=Path,
            metavar="FOLDER",
            help="compare the set with a folder that has a folder of pictures for each category",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            label_set = _found(options["label_set"], options["owner"])
            fit = fitting.require(label_set, require_active_space())
            if options["evaluate"]:
                self._evaluate(label_set, fit, options["evaluate"])
            elif options["dry_run"]:
                self._preview(label_set, fit)
            else:
                self._apply(label_set, fit)
        except (Refusal, Unavailable) as error:
            raise CommandError(str(error)) from error

    def _preview(self, label_set: LabelSet, fit: LabelFit) -> None:
        space = require_active_space()
        images = labelled_by(label_set)
        found = previewing.preview(fit, fitting.weights_of(fit), space, images)
        self.stdout.write(f"+{found.added} −{found.removed}, {found.kept} stay")
        for change in found.categories:
            self.stdout.write(
                f"{change.count:>9}  {change.category.name}  +{change.added} −{change.removed}"
            )

    def _apply(self, label_set: LabelSet, fit: LabelFit) -> None:
        """Apply it here: a worker may be busy or not there."""
        job, _change = applying.request(label_set, label_set.owner, fit)
        applying.run_waiting()
        job.refresh_from_db()
        self.stdout.write(
            f"{job.state}: +{job.added} −{job.removed}, {job.done} of {job.total} pictures"
        )
        if job.state != job.State.DONE:
            raise CommandError(job.error or "Another worker goes on with it.")

    def _evaluate(self, label_set: LabelSet, fit: LabelFit, folder: Path) -> None:
        truths = evaluating.folder(folder, label_set, require_active_space())
        found = quality.evaluate(fit, truths.vectors, truths.categories, truths.left_out)
        self.stdout.write(
            f"{found.pictures} pictures, {found.left_out} left out: accuracy"
            f" {found.accuracy.value:.3f}, without “none” {found.likeliest.value:.3f},"
            f" calibration error {found.calibration_error:.3f}"
        )
        for (name, of_class), row in zip(found.classes, found.confusion, strict=True):
            precision, recall = (
                "   –" if share is None else f"{share.value:.2f}"
                for share in (of_class.precision, of_class.recall)
            )
            counts = " ".join(f"{count:>5}" for count in row)
            self.stdout.write(
                f"precision {precision} recall {recall} | {counts} | {name or 'none'}"
            )


def _found(named: str, owner: str | None) -> LabelSet:
    """Return the set of the id or, of the owner or the site, of the name. Raises CommandError."""
    kept = LabelSet.objects.filter(deleted_at=None).select_related("owner")
    try:
        found = kept.filter(pk=UUID(named)).first()
    except ValueError:
        user = User.objects.filter(username=owner).first() if owner else None
        if owner and user is None:
            raise CommandError(f"There is no user {owner}.") from None
        found = called(kept.filter(owner=user), "name", named).first()
    if found is None:
        raise CommandError(f"There is no label set “{named}”. Give its id, or say --owner.")
    return found
