from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from gallery.api.errors import unknown_address
from gallery.api.routes import accounts, labels, organising, searching, sharing, uploads
from gallery.api.views import analyses, auth, classify, docs, files, images, search, status

app_name = "api"

v1 = [
    path("", status.RootView.as_view(), name="root"),
    path("auth/login/", auth.LoginView.as_view(), name="login"),
    path("auth/logout/", auth.LogoutView.as_view(), name="logout"),
    path("auth/logoutall/", auth.LogoutAllView.as_view(), name="logout-all"),
    path("auth/me/", auth.MeView.as_view(), name="me"),
    path("images/", images.ImageListView.as_view(), name="images"),
    path("images/<uuid:pk>/", images.ImageDetailView.as_view(), name="image"),
    path("images/<uuid:pk>/file/", files.ImageFileView.as_view(), name="image-file"),
    path("images/<uuid:pk>/thumbnail/", files.ImageThumbnailView.as_view(), name="image-thumbnail"),
    path(
        "thumbnails/<str:key>/<uuid:pk>/",
        files.SignedThumbnailView.as_view(),
        name="image-thumbnail-signed",
    ),
    path("images/<uuid:pk>/recipe/", images.ImageRecipeView.as_view(), name="image-recipe"),
    path("images/<uuid:pk>/restore/", images.ImageRestoreView.as_view(), name="image-restore"),
    path("images/<uuid:pk>/retry/", images.ImageRetryView.as_view(), name="image-retry"),
    path("images/<uuid:pk>/analyses/", analyses.ImageAnalysesView.as_view(), name="image-analyses"),
    path("images/<uuid:pk>/similar/", search.SimilarView.as_view(), name="image-similar"),
    path("images/<uuid:pk>/classify/", classify.ImageClassifyView.as_view(), name="image-classify"),
    path("search/", search.SearchView.as_view(), name="search"),
    path("search/pictures/", search.QueryPictureView.as_view(), name="search-pictures"),
    path("search/complete/", search.CompletionView.as_view(), name="search-complete"),
    path("search/parse/", search.ParseView.as_view(), name="search-parse"),
    path("classify/", classify.ClassifyView.as_view(), name="classify"),
    *uploads.routes,
    *organising.routes,
    *searching.routes,
    *labels.routes,
    *sharing.routes,
    *accounts.routes,
    path("analyses/", analyses.AnalysesView.as_view(), name="analyses"),
    path("health/", status.HealthView.as_view(), name="health"),
    path("ready/", status.ReadyView.as_view(), name="ready"),
]

# The schema and its page are the same for everybody and need no authentication.
_open: dict[str, Any] = {"authentication_classes": [], "throttle_classes": []}

urlpatterns = [
    path("v1/", include(v1)),
    path("schema/", docs.SchemaView.as_view(**_open), name="schema"),
    # The view without inline scripts: the content security policy forbids these.
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="api:schema", template_name="api/docs.html", **_open
        ),
        name="docs",
    ),
    re_path("", unknown_address),
]
