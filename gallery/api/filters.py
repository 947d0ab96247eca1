"""What a list of pictures can be narrowed by."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from gallery.api.serializers.images import STATES
from gallery.models import Image

if TYPE_CHECKING:
    from django.db.models import QuerySet

MAX_IDS = 200


class _IdsField(forms.Field):
    """`id=a&id=b` or `id=a,b` as a list of UUIDs."""

    widget = forms.SelectMultiple
    default_error_messages = {
        "bad_id": _("Give the ids of pictures as the upload answered them."),
        "too_many_ids": _("Give at most %(most)d ids."),
    }

    def clean(self, value: Any) -> list[uuid.UUID]:
        texts = [text for part in value or [] for text in part.split(",") if text]
        if len(texts) > MAX_IDS:
            raise forms.ValidationError(
                self.error_messages["too_many_ids"], "too_many_ids", {"most": MAX_IDS}
            )
        try:
            return [uuid.UUID(text) for text in texts]
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["bad_id"], "bad_id") from error


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "format": "uuid"},
        "description": f"Up to {MAX_IDS}: to follow uploads until they are `ready`.",
    }
)
class _IdsFilter(django_filters.Filter):
    field_class = _IdsField

    def filter(self, queryset: QuerySet[Image], value: list[uuid.UUID]) -> QuerySet[Image]:
        return queryset.filter(pk__in=value) if value else queryset


class _MomentField(django_filters.fields.IsoDateTimeField):
    """A time as UTC: PostgreSQL knows fewer offsets than Python."""

    def clean(self, value: Any) -> datetime | None:
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from error


class _MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = _MomentField


class ImageFilter(django_filters.FilterSet):
    id = _IdsFilter()
    owner = django_filters.CharFilter(
        method="by_owner", max_length=150, help_text="A user name, or `me`."
    )
    visibility = django_filters.ChoiceFilter(choices=Image.Visibility.choices)
    state = django_filters.ChoiceFilter(
        field_name="index_state", choices=[(state, state) for state in STATES]
    )
    created_after = _MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = _MomentFilter(field_name="created_at", lookup_expr="lt")
    captured_after = _MomentFilter(field_name="captured_at", lookup_expr="gte")
    captured_before = _MomentFilter(field_name="captured_at", lookup_expr="lt")

    class Meta:
        model = Image
        fields: list[str] = []

    @extend_schema_field(OpenApiTypes.STR)
    def by_owner(self, queryset: QuerySet[Image], name: str, value: str) -> QuerySet[Image]:
        if value == "me":
            user = self.request.user
            return queryset.filter(owner_id=user.pk) if user.pk else queryset.none()
        return queryset.filter(owner__username=value)
