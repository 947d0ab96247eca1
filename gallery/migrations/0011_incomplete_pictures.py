"""Pictures whose file breaks off are kept, and marked.

None was accepted before, so that no earlier one is.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gallery", "0010_taken_on_the_spot")]

    operations = [
        migrations.AddField(
            model_name="image",
            name="incomplete",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="incomplete"
            ),
        ),
    ]
