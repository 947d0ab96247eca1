"""Accounts, email addresses, groups and API tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.admin import EmailAddressAdmin as BaseEmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from gallery.accounts import attempts, confirmation, deletion, profile, roles, second_factor
from gallery.admin.base import ModelAdmin
from gallery.admin.confirmed import ConfirmedAdmin
from gallery.admin.readonly import ReadOnlyAdmin
from gallery.errors import Refusal
from gallery.models import Image, User

for model in (Authenticator, AuthToken, EmailAddress, Group, UserSession):
    admin.site.unregister(model)


class AccountForm(UserChangeForm):
    """Shows refusals of `roles` and `profile` as errors beside the fields."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            if cleaned.get("email") and "email" in self.changed_data:
                profile.clean_email(cleaned["email"], self.instance)
            with transaction.atomic():
                roles.change_account(self.instance, self.rights(cleaned))
                transaction.set_rollback(True)
        except Refusal as refusal:
            self.add_error(refusal.field, str(refusal.message))
        return cleaned

    @staticmethod
    def rights(cleaned: Mapping[str, Any]) -> dict[str, Any]:
        return {name: cleaned[name] for name in roles.CHANGEABLE if name in cleaned}


class PasswordForm(AdminPasswordChangeForm):
    """Sets a password and notifies the owner, because this does not need the old password."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit)
        attempts.forget(context.request, user)
        get_adapter().send_notification_mail("account/email/password_reset", user)
        return user


@admin.register(User)
class UserAdmin(BaseUserAdmin, ConfirmedAdmin):
    form = AccountForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = (
        "username",
        "email",
        "role",
        "picture_count",
        "is_active",
        "deletion_requested_at",
        "last_login",
        "date_joined",
    )
    list_filter = ("role", "is_active", ("deletion_requested_at", admin.EmptyFieldListFilter))
    search_fields = ("username", "email", "display_name")
    ordering = ("-date_joined",)
    # Staff and superuser follow the role; permissions of groups are not used.
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("display_name", "email", "language")}),
        (_("Rights"), {"fields": ("role", "is_active", "quota_bytes", "quota_images")}),
        (_("Times"), {"fields": ("last_login", "date_joined", "deletion_requested_at")}),
    )
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "deletion_requested_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        kept = Count("images", filter=Q(images__deleted_at__isnull=True))
        return super().get_queryset(request).annotate(picture_count=kept)

    @display(description=_("pictures"), ordering="picture_count")
    def picture_count(self, user: User) -> int:
        return user.picture_count  # type: ignore[attr-defined]  # annotated above

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The accounts, and the number of pictures that are deleted with them."""
        counts = {
            str(User._meta.verbose_name_plural): len(objs),
            str(Image._meta.verbose_name_plural): Image.objects.filter(owner__in=objs).count(),
        }
        return [str(user) for user in objs], counts, set(), self._needed(objs)

    @staticmethod
    def _needed(accounts: Iterable[User]) -> list[str]:
        """The accounts that cannot be deleted: the last administrators, as one must remain."""
        try:
            with transaction.atomic():
                roles.refuse_if_last({user.pk for user in accounts})
        except Refusal:
            return [str(user) for user in accounts if user.is_administrator]
        return []

    def save_model(
        self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool
    ) -> None:
        """Save the rights through `roles`; AccountForm has already made its checks."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        obj.save(update_fields=["username", "display_name", "language"])
        if obj.email and "email" in form.changed_data:
            profile.replace_email(obj, obj.email)
        roles.change_account(obj, AccountForm.rights(form.cleaned_data))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        confirmation.require_recent(request)
        return super().user_change_password(request, id, form_url)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.deletion_requested_at is not None:
            return False
        return bool(super().has_change_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Request the deletion as the owner would: a worker removes rows and files."""
        deletion.request_deletion(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            deletion.request_deletion(user)


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    """Django's groups, in the style of this admin."""


@admin.register(EmailAddress)
class EmailAddressAdmin(BaseEmailAddressAdmin, ConfirmedAdmin, ReadOnlyAdmin):
    """allauth's email addresses. They are changed with their account, which notifies the former
    address; here they can only be marked as verified."""


class EndedHere(ConfirmedAdmin, ReadOnlyAdmin):
    """Rows that are read-only; deleting one ends it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_end_permission(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.register(Authenticator)
class SecondFactorAdmin(EndedHere):
    """Second factors, to remove one whose owner has lost the device. Their secrets are not
    shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__username", "user__email")
    fields = list_display
    list_select_related = ("user",)
    ordering = ("-created_at",)

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        second_factor.remove(obj)


@admin.register(UserSession)
class SessionAdmin(EndedHere):
    """Signed-in browsers. Deleting one signs it out."""

    list_display = ("user", "created_at", "ip", "user_agent")
    search_fields = ("user__username", "ip")
    fields = list_display
    list_select_related = ("user",)
    ordering = ("-created_at",)

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        obj.end()


@admin.register(AuthToken)
class TokenAdmin(ConfirmedAdmin):
    """API tokens. Deleting one signs that client out. Only the owners know the tokens; the
    database has their hashes."""

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
