"""Notes on how the words of a line were read."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from gallery.search.filters import date_labels
from gallery.search.query.dates_in_words import DatesRead
from gallery.search.query.notes import Note
from gallery.search.query.wording import Wording


def notes_of_dates(read: DatesRead, as_typed: str) -> Iterator[Note]:
    """Yield the notes on the dates among the words of a line."""
    if read.date:
        said, told = read.date.said, date_labels.told(read.date.after, read.date.before)
        message = _("“%(said)s” is read as a date.")
        if told.lower() not in said.lower():
            message = _("“%(said)s” is read as a date: %(date)s.")
        yield Note("date", message % {"said": said, "date": told}, as_typed)
    if read.unclear:
        message = _(
            "“%(dates)s” is searched for as words. For pictures of a time, write its ends, as in "
            "after:2018 before:2020."
        )
        yield Note("unclear_date", message % {"dates": read.unclear})


def notes_of(read: Wording, as_typed: str) -> Iterator[Note]:
    """Yield the notes on the words of a line. `as_typed` is the line with the words in quotes."""
    if read.minus:
        said = " … ".join(read.said)
        things = ", ".join(f"“{thing}”" for thing in read.minus)
        message = _("“%(said)s” is read as: unlike %(things)s.") % {"said": said, "things": things}
        yield Note("negation", message, as_typed)
    if read.unclear:
        message = _(
            "“%(word)s” is searched for as a word here. For pictures unlike something, put a minus "
            "right before it, as in -people."
        )
        yield Note("unclear_negation", message % {"word": read.unclear})
    if "OR" in read.operators:
        message = _(
            "“OR” has no effect of its own: the search looks for all of it together, and pictures "
            "with both come first. For one or the other, search for each by itself."
        )
        yield Note("operators", message, as_typed)
    elif "AND" in read.operators:
        message = _("“AND” joins separate things: each counts for itself.")
        yield Note("operators", message, as_typed)
