"""Routes of saved searches, the search history, duplicates and the map."""

from django.urls import URLPattern, path

from gallery.api.views import duplicates, explore, saved_searches, search_history

routes: list[URLPattern] = [
    path("searches/", saved_searches.SavedSearchListView.as_view(), name="searches"),
    path("searches/history/", search_history.SearchHistoryView.as_view(), name="search-history"),
    path(
        "searches/history/<int:pk>/",
        search_history.SearchRecordView.as_view(),
        name="search-record",
    ),
    path(
        "searches/<uuid:pk>/", saved_searches.SavedSearchDetailView.as_view(), name="saved-search"
    ),
    path(
        "searches/<uuid:pk>/results/",
        saved_searches.SavedSearchResultsView.as_view(),
        name="saved-search-results",
    ),
    path(
        "searches/<uuid:pk>/album/",
        saved_searches.SavedSearchAlbumView.as_view(),
        name="saved-search-album",
    ),
    path("duplicates/", duplicates.DuplicateListView.as_view(), name="duplicates"),
    path("duplicates/merge/", duplicates.DuplicateMergeView.as_view(), name="duplicates-merge"),
    path(
        "duplicates/dismiss/", duplicates.DuplicateDismissView.as_view(), name="duplicates-dismiss"
    ),
    path("explore/", explore.ExploreView.as_view(), name="explore"),
    path("explore/points/", explore.PointsView.as_view(), name="explore-points"),
]
