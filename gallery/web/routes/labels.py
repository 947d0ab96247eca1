"""Routes of label sets and their categories."""

from __future__ import annotations

from django.urls import URLPattern, path

from gallery.web.labels import category, edit, label_set, overview

routes: list[URLPattern] = [
    path("categories/", overview.overview, name="label_sets"),
    path("categories/sort/", overview.sort, name="label_sets_sort"),
    path("categories/keep/", overview.keep, name="label_set_keep"),
    path("categories/ready/", overview.take_ready, name="label_set_ready"),
    path("categories/import/", overview.read_file, name="label_set_import"),
    path("categories/new/", edit.create, name="label_set_create"),
    path("categories/<uuid:pk>/", label_set.label_set, name="label_set"),
    path("categories/<uuid:pk>/state/", label_set.state, name="label_set_state"),
    path("categories/<uuid:pk>/preview/", label_set.preview, name="label_set_preview"),
    path("categories/<uuid:pk>/apply/", label_set.apply, name="label_set_apply"),
    path("categories/<uuid:pk>/undo/", label_set.undo, name="label_set_undo"),
    path("categories/<uuid:pk>/edit/", edit.edit, name="label_set_edit"),
    path("categories/<uuid:pk>/delete/", label_set.delete, name="label_set_delete"),
    path("categories/<uuid:pk>/restore/", label_set.restore, name="label_set_restore"),
    path("categories/<uuid:pk>/<uuid:category>/", category.category, name="category"),
    path("categories/<uuid:pk>/<uuid:category>/sheet/", category.sheet, name="category_sheet"),
]
