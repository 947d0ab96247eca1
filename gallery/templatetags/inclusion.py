"""Inclusion of templates without context. Django's own tag takes a tenth of the time of a page."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.conf import settings
from django.template import Node, engines
from django.template.base import Parser, TextNode, Token
from django.template.loader import render_to_string
from django.template.loader_tags import do_include
from django.urls import get_script_prefix
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()


@register.tag
def include(parser: Parser, token: Token) -> Node:
    """Include a template like Django's tag. An icon is rendered once, when its page is compiled."""
    node = do_include(parser, token)
    name = node.template.var
    if not isinstance(name, str) or not name.startswith("icons/"):
        return node
    return TextNode(engines["django"].get_template(name).render())


@register.simple_tag
def include_fixed(name: str, **context: str) -> SafeString:
    """Include a template that is the same for everybody. It is rendered once for each language and
    each `context`, of which there must be few."""
    make = _fixed.__wrapped__ if settings.DEBUG else _fixed
    return make(name, get_language(), get_script_prefix(), frozenset(context.items()))


@lru_cache(maxsize=512)
def _fixed(
    name: str, _language: str | None, _prefix: str, context: frozenset[tuple[str, str]]
) -> SafeString:
    return mark_safe(render_to_string(name, dict(context)))  # noqa: S308 - templates escape
