"""Albums, tags, favourites, selections, timeline."""

from django.urls import URLPattern

routes: list[URLPattern] = []
