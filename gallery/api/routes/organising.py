"""Routes of albums, tags, favourites, selections, the timeline, the trash and downloads."""

from django.urls import URLPattern, path

from gallery.api.views import albums, bulk, downloads, shared_selections, tags, timeline, trash

routes: list[URLPattern] = [
    path("albums/", albums.AlbumListView.as_view(), name="albums"),
    path("albums/<uuid:pk>/", albums.AlbumDetailView.as_view(), name="album"),
    path("albums/<uuid:pk>/restore/", albums.AlbumRestoreView.as_view(), name="album-restore"),
    path("albums/<uuid:pk>/images/", albums.AlbumImagesView.as_view(), name="album-images"),
    path("albums/<uuid:pk>/images/remove/", albums.AlbumRemoveView.as_view(), name="album-remove"),
    path("albums/<uuid:pk>/move/", albums.AlbumMoveView.as_view(), name="album-move"),
    path("images/<uuid:pk>/albums/", albums.ImageAlbumsView.as_view(), name="image-albums"),
    path("images/<uuid:pk>/tags/", tags.ImageTagsView.as_view(), name="image-tags"),
    path("images/<uuid:pk>/favourite/", tags.FavouriteView.as_view(), name="image-favourite"),
    path("images/cameras/", tags.CameraListView.as_view(), name="cameras"),
    path("tags/", tags.TagListView.as_view(), name="tags"),
    path("tags/<uuid:pk>/", tags.TagDetailView.as_view(), name="tag"),
    path("images/bulk/", bulk.BulkView.as_view(), name="images-bulk"),
    path("selection/count/", bulk.SelectionCountView.as_view(), name="selection-count"),
    path("selection/share/", shared_selections.ShareView.as_view(), name="selection-share"),
    path("changes/<uuid:pk>/undo/", bulk.ChangeUndoView.as_view(), name="change-undo"),
    path("timeline/", timeline.TimelineView.as_view(), name="timeline"),
    path("trash/", trash.TrashView.as_view(), name="trash"),
    path("trash/<uuid:pk>/", trash.DeletedImageView.as_view(), name="trash-image"),
    path(
        "trash/<uuid:pk>/thumbnail/", trash.DeletedThumbnailView.as_view(), name="trash-thumbnail"
    ),
    path("downloads/", downloads.DownloadListView.as_view(), name="downloads"),
    path("downloads/<uuid:pk>/", downloads.DownloadView.as_view(), name="download"),
]
