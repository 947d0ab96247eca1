"""Pictures that are turned and cropped without a change of their file, and stars."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0020_notices_and_portraits'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='edition',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name='image',
            name='rating',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, validators=[django.core.validators.MaxValueValidator(5)], verbose_name='rating'),
        ),
        migrations.AddField(
            model_name='image',
            name='recipe',
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(condition=models.Q(('rating__gt', 0)), fields=['owner', 'rating'], name='image_rated'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.CheckConstraint(condition=models.Q(('rating__lte', 5)), name='image_rating_of_five'),
        ),
    ]
