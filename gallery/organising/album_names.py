"""What pictures are called that were shared as a selection and got no title (`Album.for_sharing`).

Their name says how many there are and from when, in the language of the reader. So it is made when
it is read, and never stored.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def described(count: int, first: datetime | None, last: datetime | None, shared: datetime) -> str:
    """Return the name of `count` pictures, taken from `first` to `last`. Without these, or if they
    are in different years, the day of sharing tells them from others."""
    if not count:
        return unseen()
    if first is None or last is None or first.year != last.year:
        day = date_format(timezone.localtime(shared), "DATE_FORMAT")
        told = ngettext(
            "%(count)d picture, shared on %(day)s", "%(count)d pictures, shared on %(day)s", count
        )
        return told % {"count": count, "day": day}
    if first.month != last.month:
        told = ngettext(
            "%(count)d picture from %(year)d", "%(count)d pictures from %(year)d", count
        )
        return told % {"count": count, "year": first.year}
    told = ngettext("%(count)d picture from %(month)s", "%(count)d pictures from %(month)s", count)
    return told % {"count": count, "month": date_format(first, "YEAR_MONTH_FORMAT")}


def counted(count: int) -> str:
    """Return their name for visitors of a link, whom it does not tell when they were taken."""
    return ngettext("%(count)d picture", "%(count)d pictures", count) % {"count": count}


def unseen() -> str:
    """Return their name where they are gone, or for somebody who does not see them any more."""
    return _("Shared pictures")
