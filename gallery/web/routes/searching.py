"""Routes of saved searches, the search history, smart albums, duplicates and the map."""

from django.urls import URLPattern, path

from gallery.web import explore
from gallery.web.albums import smart_albums
from gallery.web.duplicates import duplicates
from gallery.web.searching import saved_searches, search_history

routes: list[URLPattern] = [
    path("search/recent/", search_history.recent, name="searches_recent"),
    path("searches/", saved_searches.overview, name="searches"),
    path("searches/new/", saved_searches.create, name="saved_search_create"),
    path("searches/history/", search_history.overview, name="search_history"),
    path("searches/history/erase/", search_history.erase_all, name="search_history_erase"),
    path("searches/history/switch/", search_history.switch, name="search_history_switch"),
    path("searches/history/<int:pk>/erase/", search_history.erase, name="search_record_erase"),
    path("searches/<uuid:pk>/row/", saved_searches.row, name="saved_search_row"),
    path("searches/<uuid:pk>/edit/", saved_searches.edit, name="saved_search_edit"),
    path("searches/<uuid:pk>/glance/", saved_searches.glance, name="saved_search_glance"),
    path("searches/<uuid:pk>/delete/", saved_searches.delete, name="saved_search_delete"),
    path("searches/<uuid:pk>/album/", smart_albums.make, name="smart_album_make"),
    path("searches/<uuid:pk>/album/stop/", smart_albums.stop, name="smart_album_stop"),
    path("albums/<uuid:pk>/filling/", smart_albums.state, name="smart_album_state"),
    path("duplicates/", duplicates.overview, name="duplicates"),
    path("duplicates/progress/", duplicates.progress, name="duplicates_progress"),
    path("duplicates/merge/", duplicates.merge, name="duplicates_merge"),
    path("duplicates/merge/certain/", duplicates.merge_certain, name="duplicates_merge_certain"),
    path("duplicates/dismiss/", duplicates.dismiss, name="duplicates_dismiss"),
    path("duplicates/undo/<uuid:pk>/", duplicates.undo, name="duplicates_undo"),
    path("explore/", explore.explore, name="explore"),
    path("explore/points/", explore.point_data, name="explore_points"),
    path("explore/matches/", explore.matches, name="explore_matches"),
    path("explore/regions/", explore.region_list, name="explore_regions"),
    path("explore/regions/<int:pk>/", explore.region, name="explore_region"),
]
