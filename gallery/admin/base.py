from __future__ import annotations

import unicodedata
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin as UnfoldModelAdmin


class ModelAdmin(UnfoldModelAdmin):
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for the term in NFC, the form of stored texts: macOS may send NFD."""
        composed = unicodedata.normalize("NFC", search_term)
        return super().get_search_results(request, queryset, composed)
