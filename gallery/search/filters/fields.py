"""Filters and their form fields by type of value, with messages for invalid values."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.search.filters import categories, colours, dates, ratings

MAX_IDS = 200
MAX_NAMES = 20
MAX_COLOURS = 5
MAX_CATEGORIES = 10
# The most albums that one title may stand for.
MAX_ALBUMS = 50


class _IdsField(forms.Field):
    """Parses `id=a&id=b` or `id=a,b` to a list of UUIDs."""

    widget = forms.SelectMultiple
    default_error_messages = {
        "bad_id": _("Give the ids of pictures as the upload answered them."),
        "too_many_ids": _("Give at most %(most)d ids."),
    }

    def clean(self, value: Any) -> list[uuid.UUID]:
        texts = [text for part in value or [] for text in part.split(",") if text]
        if len(texts) > MAX_IDS:
            raise forms.ValidationError(
                self.error_messages["too_many_ids"], "too_many_ids", {"most": MAX_IDS}
            )
        try:
            return [uuid.UUID(text) for text in texts]
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["bad_id"], "bad_id") from error


class IdsFilter(django_filters.Filter):
    field_class = _IdsField

    def filter(self, queryset: Any, value: list[uuid.UUID]) -> Any:
        return super().filter(queryset, value) if value else queryset


class _AlbumsField(forms.Field):
    """Parses `album=a&album=b` to a list of at most MAX_ALBUMS UUIDs. A title may stand for several
    albums."""

    widget = forms.SelectMultiple
    # gallery.search.filters.refusals replaces this message.
    default_error_messages = {"invalid": _("Give the id of an album.")}

    def clean(self, value: Any) -> list[uuid.UUID]:
        texts = [text.strip() for text in value or [] if text.strip()]
        try:
            return [uuid.UUID(text) for text in texts[:MAX_ALBUMS]]
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from error


class AlbumsFilter(django_filters.Filter):
    field_class = _AlbumsField


class _NamesField(forms.Field):
    """Parses `tag=a&tag=b` to a list of texts."""

    widget = forms.SelectMultiple
    default_error_messages = {
        "too_many_names": _("“tag:” may be given at most %(most)d times."),
        "name_too_long": _("A tag has at most %(most)d characters."),
    }
    max_length = 50

    def clean(self, value: Any) -> list[str]:
        composed = (unicodedata.normalize("NFC", text) for text in value or [])
        names = [text.strip() for text in composed if text.strip()]
        if len(names) > MAX_NAMES:
            raise forms.ValidationError(
                self.error_messages["too_many_names"], "too_many_names", {"most": MAX_NAMES}
            )
        for name in names:
            ProhibitNullCharactersValidator()(name)
            if len(name) > self.max_length:
                raise forms.ValidationError(
                    self.error_messages["name_too_long"], "name_too_long", {"most": self.max_length}
                )
        return names


class NamesFilter(django_filters.Filter):
    field_class = _NamesField


class _ColoursField(forms.Field):
    """Parses `color=red&color=%23aabbcc` to a list of canonical colours
    (gallery.search.filters.colours)."""

    widget = forms.SelectMultiple
    default_error_messages = {
        "too_many_colours": _("Give at most %(most)d colours."),
        "bad_colour": _("“%(colour)s” is no colour we know: say %(names)s, or #rrggbb."),
    }

    def clean(self, value: Any) -> list[str]:
        named = [text for text in value or [] if text.strip()]
        if len(named) > MAX_COLOURS:
            raise forms.ValidationError(
                self.error_messages["too_many_colours"], "too_many_colours", {"most": MAX_COLOURS}
            )
        return list(dict.fromkeys(self._known(text) for text in named))

    def _known(self, text: str) -> str:
        colour = colours.canonical(text)
        if colour is None:
            names = ", ".join(colours.label(name) for name in colours.NAMES)
            told = {"colour": text.replace("\0", " ")[:30], "names": names}
            raise forms.ValidationError(self.error_messages["bad_colour"], "bad_colour", told)
        return colour


class ColoursFilter(django_filters.Filter):
    field_class = _ColoursField


class _CategoriesField(forms.Field):
    """Parses `category=dog&category=-cat&category=bird>0.9` to a list of
    `gallery.search.filters.categories.Wanted`."""

    widget = forms.SelectMultiple
    default_error_messages = {
        "too_many_categories": _("“category:” may be given at most %(most)d times."),
        "bad_category": _(
            "“category:” cannot be “%(value)s”: give a name, as dog, -dog for pictures without "
            "it, or dog>0.9 for a probability from 0 to 1."
        ),
    }
    max_length = 250

    def clean(self, value: Any) -> list[categories.Wanted]:
        texts = [text.strip() for text in value or [] if text.strip()]
        if len(texts) > MAX_CATEGORIES:
            raise forms.ValidationError(
                self.error_messages["too_many_categories"],
                "too_many_categories",
                {"most": MAX_CATEGORIES},
            )
        return [self._read(unicodedata.normalize("NFC", text)) for text in texts]

    def _read(self, text: str) -> categories.Wanted:
        ProhibitNullCharactersValidator()(text)
        wanted = categories.parse(text) if len(text) <= self.max_length else None
        if wanted is None:
            told = {"value": text[:50]}
            raise forms.ValidationError(self.error_messages["bad_category"], "bad_category", told)
        return wanted


class CategoriesFilter(django_filters.Filter):
    field_class = _CategoriesField


class _RatingField(forms.Field):
    """Parses `rating=>=4` to the least and the most stars."""

    widget = forms.TextInput
    default_error_messages = {
        "bad_rating": _(
            "“rating:” cannot be “%(value)s”: give stars from 0, for none, to 5, as 4, >=4 or <3."
        ),
    }

    def clean(self, value: Any) -> tuple[int, int] | None:
        text = (value or "").strip()
        if not text:
            return None
        found = ratings.parse(text)
        if found is None:
            told = {"value": text.replace("\0", " ")[:50]}
            raise forms.ValidationError(self.error_messages["bad_rating"], "bad_rating", told)
        return found


class RatingFilter(django_filters.Filter):
    field_class = _RatingField


class _DayOrTimeField(django_filters.fields.IsoDateTimeField):
    """Parses a time, a date or a moving day like `yesterday` (gallery.search.filters.dates)."""

    def clean(self, value: Any) -> Any:
        return super().clean(dates.fixed(value) if isinstance(value, str) else value)


class _MomentField(_DayOrTimeField):
    """Parses a time to UTC: PostgreSQL knows fewer offsets than Python. A date means its first
    moment in the time zone of the site."""

    def clean(self, value: Any) -> datetime | None:
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = _MomentField


class _ClockField(_DayOrTimeField):
    """Parses a time to local time at the place of capture, without a time zone. A time with an
    offset is converted to the time zone of the site. If it were compared with moments of capture,
    searches would tell the clock offsets of other users' pictures, and so roughly where they were
    taken."""

    def clean(self, value: Any) -> datetime | None:
        moment = super().clean(value)
        try:
            return moment and timezone.make_naive(moment, timezone.get_default_timezone())
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from error


class ClockFilter(django_filters.IsoDateTimeFilter):
    field_class = _ClockField


class _YesNoField(forms.Field):
    """Parses true or false. Other values are refused, so that they do not mean "no filter"."""

    widget = forms.TextInput
    default_error_messages = {"invalid": _("Say true or false.")}
    values = {"true": True, "1": True, "false": False, "0": False}

    def clean(self, value: Any) -> bool | None:
        text = (value or "").strip().lower()
        if not text:
            return None
        if text not in self.values:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid")
        return self.values[text]


class YesNoFilter(django_filters.Filter):
    field_class = _YesNoField
