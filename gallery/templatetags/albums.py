"""What an album is called. Cards of albums know it already."""

from __future__ import annotations

from django import template

from gallery.models import Album, Viewer
from gallery.organising import album_summaries

register = template.Library()


@register.filter
def called_by(album: Album, viewer: Viewer) -> str:
    """`{{ album|called_by:user }}`: in the language of the page."""
    return album_summaries.name_of(album, viewer)
