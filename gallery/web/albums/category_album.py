"""A smart album of a category by one click."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from gallery.labels import reading
from gallery.models import Category, SavedSearch
from gallery.organising import saved_searches, smart_albums
from gallery.search.filters import categories
from gallery.search.query.query import Query
from gallery.web.access import member, signed_in
from gallery.web.labels.loading import name_of


@require_POST
@signed_in
def make(request: HttpRequest, pk: UUID, category: UUID) -> HttpResponse:
    """Go to the album that is filled with the visitor's pictures of a category. Make it, and the
    saved search behind it, if there is none."""
    known = list(reading.categories_for(request.user).select_related("label_set"))
    found = next((one for one in known if one.pk == category and one.label_set_id == pk), None)
    if found is None:
        raise Http404
    saved = _saved(request, found, categories.values_of(known)[found.pk])
    return redirect("album", pk=smart_albums.make(saved).pk)


def _saved(request: HttpRequest, category: Category, value: str) -> SavedSearch:
    user = member(request)
    query = Query(filters={"category": [value]})
    same = saved_searches.saved_searches_of(user).filter(query=query.as_json()).first()
    if same is not None:
        return same
    name = saved_searches.free_name(user, name_of(category))
    return saved_searches.save(user, name, query)
