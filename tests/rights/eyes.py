"""What one viewer sees, as numbers of the model, with a count of the comparisons."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Any

from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from gallery.models import User
from tests import web_tools
from tests.rights.model import Link, Viewer
from tests.rights.rows import Rows

_SIGNED = re.compile(r"(?:/shared/([^/]+))?/thumbnails/\d+-[\w-]{22}/([0-9a-f-]{36})/")

# The number of comparisons by kind.
compared: Counter[str] = Counter()


class Eyes:
    """The view of `viewer`. `client` asks the API and `pages` the pages."""

    def __init__(self, rows: Rows, viewer: Viewer, chance: Random) -> None:
        self.rows, self.world, self.viewer, self.chance = rows, rows.world, viewer, chance
        self.pages = Client()
        self.client = client_of(None if viewer is None else rows.users[viewer])
        if viewer is not None:
            self.pages.force_login(rows.users[viewer])

    def opened_again(self) -> Eyes:
        """Return the same person at another machine."""
        return Eyes(self.rows, self.viewer, self.chance)

    @property
    def others(self) -> list[int]:
        """Return people who can act and are not the viewer."""
        people = enumerate(self.world.users)
        return [n for n, person in people if person.is_active and n != self.viewer]

    def same(self, what: str, got: Any, wanted: Any) -> None:
        compared[what] += 1
        assert got == wanted, f"{what} for {self.viewer} in {self.world}"

    def get(self, address: str, **query: Any) -> Any:
        answer = self.client.get(f"/api/v1/{address}", query)
        assert answer.status_code < 500, address
        if not answer.streaming:
            self.check_signed(answer.content.decode())
        return answer

    def check_signed(self, text: str) -> None:
        """Check that signed addresses belong only to pictures that the viewer may see, or that the
        link of the page shows."""
        for token, pk in set(_SIGNED.findall(text)):
            number = self.number(pk)
            if token:
                shown = number in (self.world.shown_by(self._link_of(token)) or [])
            else:
                shown = self.world.reaches(number, self.viewer)
            self.same("signed address of a thumbnail", shown, True)

    def _link_of(self, token: str) -> Link:
        rows = enumerate(self.rows.links)
        return next(self.world.links[number] for number, row in rows if row.token == token)

    def status(self, method: str, address: str, body: Any = None) -> int:
        """Return the status. All changes are undone."""
        with transaction.atomic():
            answer = getattr(self.client, method)(f"/api/v1/{address}", body)
            transaction.set_rollback(True)
        return int(answer.status_code)

    def post(self, address: str, body: Any) -> Any:
        with transaction.atomic():
            answer = self.client.post(f"/api/v1/{address}", body)
            transaction.set_rollback(True)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def numbers(self, answer: Any) -> list[int]:
        assert answer.status_code == 200, answer.content
        return [self.number(row.get("image", row)["id"]) for row in answer.json()["results"]]

    def number(self, pk: str) -> int:
        return next(number for key, number in self.rows.number.items() if str(key) == pk)

    def found(self, address: str, **query: Any) -> list[int]:
        return sorted(self.numbers(self.get(address, **query)))

    def on_page(self, address: str) -> list[int]:
        answer = self.pages.get(address)
        assert answer.status_code == 200, address
        return sorted(self.number(pk) for pk in web_tools.tiles(answer))

    def values(self, address: str) -> set[str]:
        """Return the values that a page offers for a field."""
        answer = self.pages.get(address)
        assert answer.status_code == 200, address
        return set(web_tools.attributes(answer, "value"))

    def counted(self, address: str) -> int:
        """Return the number in a sentence that counts pictures."""
        answer = self.pages.get(address)
        assert answer.status_code == 200, address
        found = re.search(r"(\d+) pictures? fits?", answer.content.decode())
        assert found, answer.content
        return int(found[1])


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        # The user is read again: a role may have changed.
        client.force_authenticate(User.objects.get(pk=user.pk))
    return client
