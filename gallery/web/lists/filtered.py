"""The pictures of a page after the filters of its address, and the answers that the filter panel
gets in place of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery.errors import Refusal
from gallery.search.filters import dates
from gallery.search.filters.image_filter import narrow
from gallery.web.access import is_fragment
from gallery.web.lists import category_filter, filters
from gallery.web.lists.filters import FilterBar

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet


@dataclass(frozen=True)
class Filtered:
    """Those of `images` that pass the filters of the address and the filters `fixed` of the page
    itself, which are named as in the API."""

    request: HttpRequest
    images: ImageQuerySet
    fixed: Mapping[str, Any]

    @cached_property
    def wanted(self) -> dict[str, Any]:
        """All filters, with days in the place of moving ones: a selection is of what is seen, also
        after midnight. Raises Refusal."""
        return {**dates.all_fixed(filters.read(self.request.GET)), **self.fixed}

    @cached_property
    def pictures(self) -> ImageQuerySet:
        """The pictures that pass. Raises Refusal."""
        return narrow(self.images, self.wanted, self.request.user)

    def bar(self, *, is_open: bool = False) -> FilterBar:
        return filters.bar(self.request, self.fixed, is_open=is_open)

    def other_answer(self, template: str, context: Mapping[str, Any]) -> HttpResponse | None:
        """Return the answer if it shows no pictures, else None.

        With `?only=count` it is how many pictures pass, with `?only=categories` how many of them
        each category has, for htmx with `?only=filters` the fields of the filters. With a wrong
        filter it is the page with the problem above the fields.
        """
        only = self.request.GET.get("only")
        try:
            pictures = self.pictures
        except Refusal as refusal:
            if only == "count":
                return self._count(problem=refusal.message)
            if only == "categories":
                return category_filter.refused(self.request, refusal.message)
            said = {"filters": self.bar(is_open=True), "filter_problem": refusal.message}
            return render(self.request, template, {**context, **said}, status=refusal.status)
        if only == "count":
            return self._count(count=pictures.count())
        if only == "categories":
            return category_filter.counted(self.request, pictures, self.request.GET)
        if filters.are_asked_for(self.request) and is_fragment(self.request):
            return filters.form(self.request, self.bar())
        return None

    def _count(self, **shown: Any) -> HttpResponse:
        return render(self.request, "gallery/filter_count.html", shown)
