"""Routes of albums, tags, favourites, selections, the timeline and the trash."""

from django.urls import path

from gallery.web.albums import album_order, albums
from gallery.web.lists import collections, filmstrip, filters, tags, timeline
from gallery.web.pictures import bulk, trash

routes = [
    path("albums/", albums.overview, name="albums"),
    path("albums/new/", albums.create, name="album_create"),
    path("albums/pick/", albums.pick, name="albums_pick"),
    path("albums/<uuid:pk>/", albums.album, name="album"),
    path("albums/<uuid:pk>/add/", albums.add, name="album_add"),
    path("albums/<uuid:pk>/arrange/", album_order.arrange, name="album_arrange"),
    path("albums/<uuid:pk>/sort/", album_order.sort, name="album_sort"),
    path("albums/<uuid:pk>/edit/", albums.edit, name="album_edit"),
    path("albums/<uuid:pk>/head/", albums.head, name="album_head"),
    path("albums/<uuid:pk>/delete/", albums.delete, name="album_delete"),
    path("albums/<uuid:pk>/restore/", albums.restore, name="album_restore"),
    path("tags/", tags.overview, name="tags"),
    path("tags/pick/", tags.pick, name="tags_pick"),
    path("tags/<uuid:pk>/", collections.tag, name="tag"),
    path("tags/<uuid:pk>/rename/", tags.rename, name="tag_rename"),
    path("tags/<uuid:pk>/delete/", tags.delete, name="tag_delete"),
    path("favourites/", collections.favourites, name="favourites"),
    path("archive/", collections.archive, name="archive"),
    path("changes/<uuid:pk>/undo/", bulk.undo, name="change_undo"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("images/<uuid:pk>/neighbours/", timeline.neighbours, name="image_neighbours"),
    path("images/<uuid:pk>/month/", timeline.month_of, name="image_month"),
    path("images/<uuid:pk>/filmstrip/", filmstrip.filmstrip, name="image_filmstrip"),
    path("images/<uuid:pk>/shuffled/", filmstrip.shuffled, name="image_shuffled"),
    path("filters/years/", filters.years, name="filter_years"),
    path("filters/cameras/", filters.suggestions, {"field": "camera"}, name="filter_cameras"),
    path(
        "filters/owners/",
        filters.suggestions,
        {"field": "owner__username"},
        name="filter_owners",
    ),
    path("trash/restore/", trash.restore_all, name="trash_restore_all"),
    path("trash/empty/", trash.empty, name="trash_empty"),
    path("trash/<uuid:pk>/", trash.picture, name="trash_picture"),
]
