"""The account, its tokens and data, roles, invitations."""

from django.urls import URLPattern

routes: list[URLPattern] = []
