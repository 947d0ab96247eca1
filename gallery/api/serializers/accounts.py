"""Accounts, tokens, sessions and invitations as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.accounts import invitations, portraits, tokens
from gallery.models import ApiToken, Invitation, User

_BIGGEST = 2**63 - 1
_PASSWORD: dict[str, Any] = {"max_length": 1000, "trim_whitespace": False, "write_only": True}


class OwnPasswordSerializer(serializers.Serializer):
    """The password of your account. Actions that open or close an account need it, because a
    token or a session can be in the wrong hands. A session may omit it for ten minutes after the
    password was confirmed on the pages."""

    password = serializers.CharField(required=False, **_PASSWORD)


class DeletionSerializer(serializers.Serializer):
    password = serializers.CharField(**_PASSWORD)


class AccountSerializer(serializers.ModelSerializer):
    shown_name = serializers.CharField(
        help_text="The name that others see: the display name, or else the username."
    )
    portrait = serializers.SerializerMethodField(
        help_text="The address of your picture, for some minutes; null: none."
    )
    second_factor = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "username",
            "email",
            "display_name",
            "shown_name",
            "language",
            "keep_history",
            "mail_notices",
            "portrait",
            "role",
            "second_factor",
            "date_joined",
        ]
        read_only_fields = fields

    def get_portrait(self, user: User) -> str | None:
        if user.portrait_id is None:
            return None
        return str(self.context["request"].build_absolute_uri(portraits.address(user)))

    def get_second_factor(self, user: User) -> bool:
        return bool(self.context["second_factor"])


class AccountChangesSerializer(OwnPasswordSerializer):
    """All fields are optional."""

    display_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    language = serializers.ChoiceField(
        choices=[code for code, _name in settings.LANGUAGES],
        required=False,
        allow_blank=True,
        help_text="Empty: the language of the browser.",
    )
    keep_history = serializers.BooleanField(
        required=False,
        help_text="Whether your searches are recorded. Earlier ones stay until "
        "`searches/history/` is deleted.",
    )
    mail_notices = serializers.BooleanField(
        required=False,
        help_text="Whether you get a mail when something is shared with you. It goes to your "
        "confirmed email address.",
    )
    email = serializers.EmailField(max_length=254, required=False, help_text="Needs the password.")


class PortraitSerializer(serializers.Serializer):
    """One of both."""

    file = serializers.FileField(required=False, help_text="A picture file.")
    image = serializers.UUIDField(required=False, help_text="One of your pictures.")


class UsageSerializer(serializers.Serializer):
    bytes = serializers.IntegerField(help_text="The trash counts, too.")
    images = serializers.IntegerField()
    max_bytes = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    max_images = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")


class ApiTokenSerializer(serializers.ModelSerializer):
    created_at = serializers.DateTimeField(source="token.created")
    expires_at = serializers.DateTimeField(source="token.expiry", allow_null=True)

    class Meta:
        model = ApiToken
        fields = ["id", "name", "scope", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class IssuedTokenSerializer(ApiTokenSerializer):
    token = serializers.CharField(help_text="Shown only once. For `Authorization: Token …`.")

    class Meta(ApiTokenSerializer.Meta):
        fields = [*ApiTokenSerializer.Meta.fields, "token"]
        read_only_fields = fields


class NewTokenSerializer(OwnPasswordSerializer):
    name = serializers.CharField(max_length=100)
    scope = serializers.ChoiceField(choices=ApiToken.Scope.choices)
    expires_in_days = serializers.IntegerField(
        min_value=1,
        max_value=tokens.MAX_DAYS,
        allow_null=True,
        required=False,
        default=None,
        help_text="Null: valid until it is revoked.",
    )


class SessionSerializer(serializers.ModelSerializer):
    current = serializers.SerializerMethodField(
        help_text="Whether it is the session of this request."
    )

    class Meta:
        model = UserSession
        fields = ["id", "ip", "user_agent", "created_at", "current"]
        read_only_fields = fields

    def get_current(self, session: UserSession) -> bool:
        return bool(session.session_key == self.context["session_key"])


class InvitationSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField(help_text="Where the invited person signs up.")
    state = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username")
    used_by = serializers.CharField(source="used_by.username", allow_null=True, default=None)

    class Meta:
        model = Invitation
        fields = [
            "id",
            "url",
            "email",
            "state",
            "created_by",
            "created_at",
            "expires_at",
            "used_by",
            "used_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_url(self, invitation: Invitation) -> str:
        address = f"{reverse('account_signup')}?invitation={invitation.code}"
        return str(self.context["request"].build_absolute_uri(address))

    @extend_schema_field(serializers.ChoiceField(["open", "used", "revoked", "expired"]))
    def get_state(self, invitation: Invitation) -> str:
        return invitations.state_of(invitation)


class NewInvitationSerializer(serializers.Serializer):
    email = serializers.EmailField(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Only this address can use the invitation, and it is mailed there.",
    )
    days = serializers.IntegerField(
        min_value=1, max_value=invitations.MAX_DAYS, default=invitations.DEFAULT_DAYS
    )


class SentInvitationSerializer(InvitationSerializer):
    mailed = serializers.BooleanField(help_text="Whether a mail was sent.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "mailed"]
        read_only_fields = fields


class UserSerializer(serializers.ModelSerializer):
    """An account as administrators see it."""

    class Meta:
        model = User
        fields = [
            "username",
            "email",
            "display_name",
            "role",
            "is_active",
            "quota_bytes",
            "quota_images",
            "date_joined",
            "last_login",
        ]
        read_only_fields = fields


class UserChangesSerializer(OwnPasswordSerializer):
    """All fields are optional. A quota of null is the installation's default, 0 is no limit."""

    role = serializers.ChoiceField(choices=User.Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)
    quota_bytes = serializers.IntegerField(
        min_value=0, max_value=_BIGGEST, allow_null=True, required=False
    )
    quota_images = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, allow_null=True, required=False
    )


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=500, help_text="The owner reads it.")
