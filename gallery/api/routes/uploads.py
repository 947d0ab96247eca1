"""Routes of resumable uploads, known hashes and imports."""

from django.urls import URLPattern, path

from gallery.api.views import imports, uploads

routes: list[URLPattern] = [
    path("uploads/", uploads.UploadListView.as_view(), name="uploads"),
    path("uploads/<uuid:pk>/", uploads.UploadDetailView.as_view(), name="upload"),
    path("images/known/", uploads.KnownImagesView.as_view(), name="images-known"),
    path("imports/", imports.ImportListView.as_view(), name="imports"),
    path("imports/<uuid:pk>/", imports.ImportDetailView.as_view(), name="import"),
    path("imports/<uuid:pk>/cancel/", imports.ImportCancelView.as_view(), name="import-cancel"),
    path("imports/<uuid:pk>/retry/", imports.ImportRetryView.as_view(), name="import-retry"),
]
