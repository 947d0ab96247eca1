from django.urls import path

from gallery.web import about, components
from gallery.web.lists import browse
from gallery.web.pictures import classify, picture, trash, upload
from gallery.web.routes import (
    accounts,
    label_answers,
    labels,
    labels_elsewhere,
    organising,
    searching,
    sharing,
)
from gallery.web.searching import composer_views, search

urlpatterns = [
    path("", browse.home, name="home"),
    path("recent/", browse.recent, name="recent"),
    path("starter-note/", browse.dismiss_note, name="starter_note"),
    path("search/", search.search, name="search"),
    path("search/compose/", composer_views.compose, name="search_compose"),
    path("search/refine/", composer_views.refine, name="search_refine"),
    path("search/complete/", composer_views.complete, name="search_complete"),
    path("search/help/", composer_views.help_card, name="search_help"),
    path("search/folded/", composer_views.folded, name="search_folded"),
    path("search/pictures/<str:picture_id>/", composer_views.query_picture, name="query_picture"),
    path("upload/", upload.upload, name="upload"),
    path("classify/", classify.classify, name="classify"),
    path("about/", about.about, name="about"),
    path("components/", components.components, name="components"),
    path("images/<uuid:pk>/", picture.image, name="image"),
    path("images/<uuid:pk>/details/", picture.details, name="image_details"),
    path("images/<uuid:pk>/edit/", picture.edit, name="image_edit"),
    path("images/<uuid:pk>/state/", picture.state, name="image_state"),
    path("images/<uuid:pk>/retry/", picture.retry, name="image_retry"),
    path("images/<uuid:pk>/similar/", search.similar, name="image_similar"),
    path("images/<uuid:pk>/classify/", classify.classify_image, name="image_classify"),
    path("images/<uuid:pk>/delete/", trash.delete, name="image_delete"),
    path("images/<uuid:pk>/restore/", trash.restore, name="image_restore"),
    path("images/<uuid:pk>/purge/", trash.purge, name="image_purge"),
    *labels_elsewhere.routes,
    *organising.routes,
    *labels.routes,
    *searching.routes,
    *label_answers.routes,
    *sharing.routes,
    *accounts.routes,
    path("trash/", trash.trash, name="trash"),
    path("trash/<uuid:pk>/thumbnail/", trash.thumbnail, name="trash_thumbnail"),
]
