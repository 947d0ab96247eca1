"""Tokens are bound to what signs in to their account.

Named ones go on, bound to the password of today. Those that signing in gave may be older
than the password: their programs sign in once more.
"""

import hashlib
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def bind_named_tokens(apps: Any, schema_editor: Any) -> None:
    binding = apps.get_model("gallery", "TokenBinding")
    tokens = apps.get_model("knox", "AuthToken").objects
    tokens.filter(description__isnull=True).delete()
    for token in tokens.select_related("user").iterator(chunk_size=1000):
        credentials = hashlib.sha256(f"0-{token.user.password}".encode()).hexdigest()
        binding.objects.create(token=token, credentials=credentials)


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0006_security_events"),
        ("knox", "0009_extend_authtoken_field"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="credentials_version",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.CreateModel(
            name="TokenBinding",
            fields=[
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="binding",
                        serialize=False,
                        to=settings.KNOX_TOKEN_MODEL,
                    ),
                ),
                ("credentials", models.CharField(editable=False, max_length=64)),
            ],
            options={
                "verbose_name": "token binding",
                "verbose_name_plural": "token bindings",
            },
        ),
        migrations.RunPython(bind_named_tokens, migrations.RunPython.noop),
    ]
