"""The ways in which work fails, which are kept apart:

- `Fault`: the picture is to blame. It fails at once, with its reason.
- `Away`: something that the work needs does not answer. If a probe says so, too, the attempt that
  the claim counted is taken back, and the work goes on by itself when the thing is back
  (gallery.work.breakers).
- any other exception: the cause is unknown. An attempt is counted, as for a worker that dies.
"""

from __future__ import annotations


class Fault(Exception):
    """The picture cannot be analysed, and another attempt would not help. `reason` is a
    sentence for its owner, in English (gettext_noop); `detail` is for the log."""

    def __init__(self, code: str, reason: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail or reason}")
        self.code, self.reason, self.detail = code, reason, detail


class Away(Exception):
    """`thing` (a name of gallery.work.breakers) does not answer at the moment."""

    def __init__(self, thing: str, detail: str) -> None:
        super().__init__(f"{thing}: {detail}")
        self.thing, self.detail = thing, detail


class NotNow(Exception):
    """There is no capacity for this picture at the moment. The picture is not to blame."""
