"""Routes of label sets and labels."""

from django.urls import URLPattern, path

from gallery.api.views import label_answers, label_sets, label_why

routes: list[URLPattern] = [
    path("label-sets/import/", label_answers.ImportView.as_view(), name="label-sets-import"),
    path("label-sets/ready/", label_answers.ReadyView.as_view(), name="label-sets-ready"),
    path("label-sets/sort/", label_answers.SortView.as_view(), name="label-sets-sort"),
    path(
        "label-sets/<uuid:pk>/answers/",
        label_answers.AnswersView.as_view(),
        name="label-set-answers",
    ),
    path(
        "label-sets/<uuid:pk>/next/", label_answers.QuestionsView.as_view(), name="label-set-next"
    ),
    path(
        "label-sets/<uuid:pk>/quality/",
        label_answers.QualityView.as_view(),
        name="label-set-quality",
    ),
    path(
        "label-sets/<uuid:pk>/doubts/", label_answers.DoubtsView.as_view(), name="label-set-doubts"
    ),
    path(
        "label-sets/<uuid:pk>/evaluate/",
        label_answers.EvaluateView.as_view(),
        name="label-set-evaluate",
    ),
    path(
        "label-sets/<uuid:pk>/export/", label_answers.ExportView.as_view(), name="label-set-export"
    ),
    path("images/categories/", label_answers.CategoryCountsView.as_view(), name="image-categories"),
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
    path(
        "images/<uuid:pk>/labels/<uuid:category>/why/",
        label_why.ImageLabelWhyView.as_view(),
        name="image-label-why",
    ),
]
