from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0003_search"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="image",
            index=models.Index(fields=["camera"], name="image_camera"),
        ),
    ]
