"""Thresholds of categories that follow a wish."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0021_recipes_and_ratings'),
    ]

    operations = [
        migrations.AddField(
            model_name='category',
            name='wish',
            field=models.CharField(blank=True, choices=[('right', 'At least so much is right'), ('all', 'Find nearly all')], db_default='', default='', max_length=5, verbose_name='wish'),
        ),
        migrations.AddField(
            model_name='category',
            name='wish_share',
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='labelfit',
            name='meets_wishes',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
