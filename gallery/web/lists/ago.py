"""How long ago something was, for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _


def ago(moment: datetime) -> str:
    """Return the age of `moment`: “just now”, “5 minutes ago”, “2 weeks ago”."""
    if timezone.now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}
