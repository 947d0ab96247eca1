"""Routes of labels outside the pages of label sets: on a picture, as charts, on the map, as an
album."""

from django.urls import URLPattern, path

from gallery.web import explore
from gallery.web.albums import category_album
from gallery.web.label_charts import charts
from gallery.web.pictures import picture_labels

routes: list[URLPattern] = [
    path("images/<uuid:pk>/categories/", picture_labels.section, name="image_labels"),
    path("images/<uuid:pk>/categories/answer/", picture_labels.answer, name="image_label_answer"),
    path(
        "images/<uuid:pk>/categories/<uuid:label_set>/",
        picture_labels.of_set,
        name="image_labels_of_set",
    ),
    path(
        "images/<uuid:pk>/categories/<uuid:category>/why/",
        picture_labels.explain,
        name="image_label_why",
    ),
    path("explore/labels/", explore.label_data, name="explore_labels"),
    path("categories/<uuid:pk>/charts/", charts.show, name="label_set_charts"),
    path(
        "categories/<uuid:pk>/<uuid:category>/album/",
        category_album.make,
        name="label_category_album",
    ),
]
