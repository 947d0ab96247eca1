"""manage.py spaces: the models that pictures are encoded with."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery.errors import Refusal
from gallery.indexing import spaces, states
from gallery.models import EmbeddingSpace


class Command(BaseCommand):
    help = "List, add, activate, roll back, retry and remove embedding spaces (models)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="all spaces with their counts")
        actions.add_parser("ensure", help="make the first space of a new installation")
        add = actions.add_parser("add", help="build a space beside the active one")
        add.add_argument("architecture")
        add.add_argument("pretrained", nargs="?", default="")
        actions.add_parser("rollback", help="go back to the space that was active before")
        activate = actions.add_parser("activate", help="let a built space answer searches")
        activate.add_argument("id", type=int)
        activate.add_argument(
            "--missing",
            type=int,
            default=0,
            metavar="N",
            help="agree that up to N pictures that are found now will be found no longer",
        )
        for name, text in (
            ("retry", "try to load a failed model again"),
            ("remove", "delete a space that is not active, with its vectors"),
        ):
            actions.add_parser(name, help=text).add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options["action"], options)
        except Refusal as refusal:
            hint = " --missing agrees to that." if refusal.code == "space_not_ready" else ""
            raise CommandError(f"{refusal}{hint}") from refusal
        except EmbeddingSpace.DoesNotExist:
            raise CommandError(f"There is no space {options['id']}.") from None

    def _handle(self, action: str, options: dict[str, Any]) -> None:
        if action == "list":
            self._list()
        elif action == "ensure":
            self.stdout.write(f"Space: {spaces.ensure_first_space()}")
        elif action == "add":
            space = spaces.add_space(options["architecture"], options["pretrained"])
            self.stdout.write(f"Building space {space.pk}: {space}")
        elif action == "rollback":
            self.stdout.write(f"Active again: {spaces.roll_back()}")
        else:
            space = EmbeddingSpace.objects.get(pk=options["id"])
            if action == "activate":
                spaces.activate(space, options["missing"])
            else:
                {"retry": spaces.retry, "remove": spaces.remove}[action](space)
            self.stdout.write(f"Done: {action} {space}")

    def _list(self) -> None:
        for space in EmbeddingSpace.objects.order_by("id"):
            counts = states.counts(space)
            is_candidate = space.is_loaded and space.state != EmbeddingSpace.State.ACTIVE
            lost = f", would go missing {spaces.missing_after(space)}" if is_candidate else ""
            self.stdout.write(
                f"{space.pk:>3}  {space.state:<9} {space}  "
                f"encoded {counts['done']}, waiting {counts['waiting']}, "
                f"failed {counts['failed']}{lost}{'  ' + space.error if space.error else ''}"
            )
