"""Accounts, e-mail addresses, groups and API tokens."""

from __future__ import annotations

from typing import Any

from allauth.account.admin import EmailAddressAdmin as BaseEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from gallery.library.service import purge_image
from gallery.models import Image, User

for model in (AuthToken, EmailAddress, Group):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "username",
        "email",
        "picture_count",
        "is_active",
        "is_staff",
        "last_login",
        "date_joined",
    )
    ordering = ("-date_joined",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        kept = Count("images", filter=Q(images__deleted_at__isnull=True))
        return super().get_queryset(request).annotate(picture_count=kept)

    @display(description=_("pictures"), ordering="picture_count")
    def picture_count(self, user: User) -> int:
        return user.picture_count  # type: ignore[attr-defined]  # annotated above

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The accounts, and how many pictures go with them."""
        counts = {
            str(User._meta.verbose_name_plural): len(objs),
            str(Image._meta.verbose_name_plural): Image.objects.filter(owner__in=objs).count(),
        }
        return [str(user) for user in objs], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """The files go with the account, not the rows alone."""
        for image in obj.images.iterator():
            purge_image(image)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    """Stock groups, in the look of the rest."""


@admin.register(EmailAddress)
class EmailAddressAdmin(BaseEmailAddressAdmin, ModelAdmin):
    """Stock addresses of allauth, in the look of the rest."""


@admin.register(AuthToken)
class TokenAdmin(ModelAdmin):
    """API tokens: deleting one signs that client out. The tokens themselves are
    known to their owners alone; here lie hashes."""

    list_display = ("token_key", "user", "created", "expiry")
    list_filter = ("expiry",)
    search_fields = ("token_key", "user__username")
    fields = readonly_fields = ("token_key", "user", "created", "expiry")
    list_select_related = ("user",)
    ordering = ("-created",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuthToken | None = None) -> bool:
        return False
