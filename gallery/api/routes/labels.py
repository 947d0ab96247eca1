"""Routes of label sets and labels."""

from django.urls import URLPattern, path

from gallery.api.views import label_sets

routes: list[URLPattern] = [
    path("label-sets/", label_sets.LabelSetListView.as_view(), name="label-sets"),
    path("label-sets/<uuid:pk>/", label_sets.LabelSetDetailView.as_view(), name="label-set"),
    path(
        "label-sets/<uuid:pk>/preview/",
        label_sets.LabelSetPreviewView.as_view(),
        name="label-set-preview",
    ),
    path(
        "label-sets/<uuid:pk>/apply/",
        label_sets.LabelSetApplyView.as_view(),
        name="label-set-apply",
    ),
    path("label-sets/<uuid:pk>/jobs/", label_sets.LabelJobListView.as_view(), name="label-jobs"),
    path(
        "label-sets/<uuid:pk>/jobs/<uuid:job>/",
        label_sets.LabelJobView.as_view(),
        name="label-job",
    ),
    path("images/<uuid:pk>/labels/", label_sets.ImageLabelsView.as_view(), name="image-labels"),
]
