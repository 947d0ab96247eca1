"""The round picture of an account, or its first letter."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gallery.accounts import portraits
from gallery.models import User

register = template.Library()


@register.simple_tag
def portrait(user: User) -> SafeString:
    """Only beside a name that the viewer sees. It tells screen readers nothing: the name does."""
    if user.portrait_id is None:
        return format_html('<span class="avatar" aria-hidden="true">{}</span>', user.shown_name[:1])
    return format_html(
        '<img class="avatar" src="{}" alt="" width="32" height="32" decoding="async">',
        portraits.address(user),
    )
