"""The ends of work that are not "done", never mixed:

- `Fault`: the picture is to blame. It fails at once, with its reason.
- `Away`: something that the work needs does not answer. No try is counted, and the work goes
  on by itself when the thing is back (gallery.work.breakers).
- anything else that is raised: nobody knows. A try is counted, as for a worker that dies.
"""

from __future__ import annotations


class Fault(Exception):
    """The picture cannot be analysed, and trying again would not help. `reason` is a
    sentence for its owner, in English (gettext_noop); `detail` is for the log."""

    def __init__(self, code: str, reason: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail or reason}")
        self.code, self.reason, self.detail = code, reason, detail


class Away(Exception):
    """`thing` (a word of gallery.work.breakers) does not answer just now."""

    def __init__(self, thing: str, detail: str) -> None:
        super().__init__(f"{thing}: {detail}")
        self.thing, self.detail = thing, detail


class NotNow(Exception):
    """There is no room for this picture at the moment, which says nothing about it."""
