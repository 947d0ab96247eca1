"""Figures in words."""

from __future__ import annotations

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery.labels.learning.intervals import Estimate
from gallery.labels.learning.quality import Bin


def number(share: float, decimals: int = 0) -> str:
    """Return a share in percent, without the sign."""
    return number_format(round(share * 100, decimals), decimals)


def percent(share: float, decimals: int = 0) -> str:
    return _("{number} %").format(number=number(share, decimals))


def threshold(share: float) -> str:
    """Return a probability with as many decimals as tell it from 0 and 100 percent."""
    decimals = next((some for some in (0, 1) if _is_told(share, some)), 2)
    return percent(share, decimals)


def with_interval(estimate: Estimate) -> str:
    """“91 % (84 to 95)”: the share and its 95 % interval."""
    return _("{value} % ({low} to {high})").format(
        value=number(estimate.value), low=number(estimate.low), high=number(estimate.high)
    )


def of_bin(one: Bin) -> dict[str, Any]:
    """A point of the reliability plot as a row of a table."""
    return {
        "predicted": percent(one.predicted),
        "observed": with_interval(one.observed),
        "count": one.count,
    }


def precision(estimate: Estimate | None) -> str:
    if estimate is None:
        return _("How much of what is labelled is right: not known yet.")
    return _("Of what is labelled, {share} is right.").format(share=with_interval(estimate))


def recall(estimate: Estimate | None) -> str:
    if estimate is None:
        return _("How many of all there are get found: not known yet.")
    return _("Of all there are, {share} are found.").format(share=with_interval(estimate))


def _is_told(share: float, decimals: int) -> bool:
    return share in (0.0, 1.0) or 0 < round(share * 100, decimals) < 100
