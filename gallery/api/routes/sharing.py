"""Groups, shared albums, share links."""

from django.urls import URLPattern

routes: list[URLPattern] = []
