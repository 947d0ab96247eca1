"""Sets of *any of these* learn again from the answers that they have: their probes have changed."""

from django.db import migrations

FORGET = """
UPDATE gallery_labelfit fit SET answers_until = NULL
FROM gallery_labelsetversion version
WHERE version.id = fit.version_id AND version.mode = 'any' AND fit.answers > 0
"""


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0022_label_wishes'),
    ]

    operations = [
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
    ]
