"""Resumable uploads, hashes known, imports."""

from django.urls import URLPattern

routes: list[URLPattern] = []
