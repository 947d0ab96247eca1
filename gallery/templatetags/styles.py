"""The style sheets in the head of a page."""

from __future__ import annotations

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from gallery.web import styles

register = template.Library()


@register.simple_tag
def style_sheets() -> SafeString:
    rows = ((address,) for address in styles.addresses())
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', rows)
