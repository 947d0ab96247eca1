from __future__ import annotations

from rest_framework import serializers

from gallery.models import User


class LoginSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=254, help_text="The username or the email address.")
    # At most 1,000 characters: hashing megabytes would take seconds.
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    otp = serializers.CharField(
        max_length=20,
        required=False,
        write_only=True,
        help_text="For accounts with a second factor: a code of the authenticator "
        "app, or a recovery code.",
    )


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="For the header `Authorization: Token …`.")
    expiry = serializers.DateTimeField()


class MeSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username"]
