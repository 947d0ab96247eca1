"""Routes of answers to label sets: the strip, thresholds, quality, evaluation."""

from django.urls import URLPattern, path

from gallery.web.label_answers import evaluate, quality, strip, thresholds

_SET = "categories/<uuid:pk>/"

routes: list[URLPattern] = [
    path(f"{_SET}answer/", strip.answer, name="label_set_answer"),
    path(f"{_SET}answer/figures/", strip.figures, name="label_set_figures"),
    path(f"{_SET}quality/", quality.overview, name="label_set_quality"),
    path(f"{_SET}quality/doubt/", quality.settle, name="label_set_doubt"),
    path(f"{_SET}quality/cut/", thresholds.cut, name="label_set_cut"),
    path(f"{_SET}quality/thresholds/", thresholds.save, name="label_set_thresholds"),
    path(f"{_SET}evaluate/", evaluate.evaluate, name="label_set_evaluate"),
    path(f"{_SET}evaluate/known/", evaluate.known, name="label_set_evaluate_known"),
    path(f"{_SET}evaluate/picture/", evaluate.picture, name="label_set_evaluate_picture"),
    path(f"{_SET}evaluate/folders/", evaluate.folders, name="label_set_evaluate_folders"),
]
