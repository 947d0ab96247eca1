"""Label sets."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import gallery.models.words
import pgvector.django.vector
import uuid
from django.conf import settings
from django.db import migrations, models


# The database cascades: a worker may be writing rows that a purge of pictures cannot see yet.
CASCADES = """
ALTER TABLE gallery_label ADD CONSTRAINT label_image
    FOREIGN KEY (image_id) REFERENCES gallery_image (id) ON DELETE CASCADE;
ALTER TABLE gallery_answer ADD CONSTRAINT answer_image
    FOREIGN KEY (image_id) REFERENCES gallery_image (id) ON DELETE CASCADE;
ALTER TABLE gallery_question ADD CONSTRAINT question_image
    FOREIGN KEY (image_id) REFERENCES gallery_image (id) ON DELETE CASCADE
"""

# What scores pictures lies in its row, and not behind it.
STORAGE = "ALTER TABLE gallery_categoryvector ALTER COLUMN vector SET STORAGE MAIN"


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0018_concept_vectors'),
    ]

    operations = [
        migrations.CreateModel(
            name='LabelFit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checksum', models.CharField(max_length=64)),
                ('temperature', models.FloatField(default=1.0, verbose_name='temperature')),
                ('answers', models.PositiveIntegerField(default=0, verbose_name='answers')),
                ('answers_until', models.DateTimeField(null=True)),
                ('quality', models.JSONField(default=dict, verbose_name='quality')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('space', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='gallery.embeddingspace')),
            ],
            options={
                'verbose_name': 'fit of a label set',
                'verbose_name_plural': 'fits of label sets',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='LabelJob',
            fields=[
                ('claim', models.UUIDField(editable=False, null=True)),
                ('claimed_until', models.DateTimeField(editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('apply', 'Apply'), ('undo', 'Undo')], default='apply', max_length=5, verbose_name='kind')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('stopped', 'Stopped'), ('failed', 'Failed')], default='waiting', max_length=10, verbose_name='state')),
                ('undone_at', models.DateTimeField(null=True)),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='total')),
                ('after', models.UUIDField(editable=False, null=True)),
                ('added', models.PositiveIntegerField(default=0, verbose_name='added')),
                ('removed', models.PositiveIntegerField(default=0, verbose_name='removed')),
                ('error', models.TextField(blank=True, verbose_name='error')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='asked for')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('fit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='gallery.labelfit')),
                ('former', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='gallery.labeljob')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'label job',
                'verbose_name_plural': 'label jobs',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='LabelSet',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('deleted_at', models.DateTimeField(editable=False, null=True, verbose_name='deleted')),
                ('applied', models.ForeignKey(null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='gallery.labeljob')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='label_sets', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'label set',
                'verbose_name_plural': 'label sets',
                'ordering': [django.db.models.functions.text.Lower('name'), 'id'],
            },
        ),
        migrations.AddField(
            model_name='labeljob',
            name='label_set',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='gallery.labelset'),
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('names', models.JSONField(default=dict, verbose_name='names')),
                ('all_names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list, editable=False, size=None)),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('threshold', models.FloatField(null=True, verbose_name='threshold')),
                ('retired_at', models.DateTimeField(editable=False, null=True, verbose_name='retired')),
                ('sample_sizes', models.JSONField(default=list, editable=False)),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='gallery.category')),
                ('label_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='categories', to='gallery.labelset')),
            ],
            options={
                'verbose_name': 'category',
                'verbose_name_plural': 'categories',
                'ordering': ['label_set', 'position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='LabelSetVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('mode', models.CharField(choices=[('one', 'One of these'), ('any', 'Any of these')], default='one', max_length=3, verbose_name='mode')),
                ('none_of_these', models.BooleanField(default=True, verbose_name='with “none of these”')),
                ('templates', models.JSONField(default=list, verbose_name='templates')),
                ('categories', models.JSONField(verbose_name='categories')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('label_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='gallery.labelset')),
            ],
            options={
                'verbose_name': 'version of a label set',
                'verbose_name_plural': 'versions of label sets',
                'ordering': ['label_set', '-number'],
            },
        ),
        migrations.AddField(
            model_name='labelset',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='gallery.labelsetversion'),
        ),
        migrations.AddField(
            model_name='labelfit',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fits', to='gallery.labelsetversion'),
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stratum', models.PositiveSmallIntegerField()),
                ('position', models.PositiveIntegerField()),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='gallery.category')),
                ('image', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='gallery.image')),
            ],
            options={
                'verbose_name': 'question',
                'verbose_name_plural': 'questions',
                'ordering': ['category', 'position'],
            },
        ),
        migrations.CreateModel(
            name='Answer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.BooleanField(verbose_name='verdict')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('stratum', models.PositiveSmallIntegerField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('image', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='answers', to='gallery.image')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='gallery.category')),
            ],
            options={
                'verbose_name': 'answer',
                'verbose_name_plural': 'answers',
                'constraints': [models.UniqueConstraint(fields=('category', 'image'), name='one_answer_each')],
            },
        ),
        migrations.CreateModel(
            name='CategoryVector',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('text', pgvector.django.vector.VectorField(editable=False)),
                ('vector', pgvector.django.vector.VectorField(editable=False)),
                ('bias', models.FloatField(default=0.0)),
                ('threshold', models.FloatField(default=0.0)),
                ('category', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='vectors', to='gallery.category')),
                ('fit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='vectors', to='gallery.labelfit')),
            ],
            options={
                'verbose_name': 'vector of a category',
                'verbose_name_plural': 'vectors of categories',
                'ordering': ['fit', 'position', 'id'],
                'constraints': [models.UniqueConstraint(fields=('fit', 'position'), name='category_vector_once')],
            },
        ),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('probability', models.FloatField()),
                ('category', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='labels', to='gallery.category')),
                ('image', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='labels', to='gallery.image')),
                ('fit', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='gallery.labelfit')),
                ('added_by', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='gallery.labeljob')),
                ('removed_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='gallery.labeljob')),
            ],
            options={
                'verbose_name': 'label',
                'verbose_name_plural': 'labels',
                'indexes': [models.Index(fields=['added_by', 'id'], name='label_added'), models.Index(condition=models.Q(('removed_by', None), _negated=True), fields=['removed_by'], name='label_removed')],
                'constraints': [models.UniqueConstraint(fields=('image', 'category', 'added_by'), name='label_once_per_job'), models.UniqueConstraint(condition=models.Q(('removed_by', None)), fields=('category', 'image'), name='one_label_each')],
            },
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(models.F('label_set'), gallery.models.words.Key('name'), condition=models.Q(('retired_at', None)), name='category_name_once'),
        ),
        migrations.AddConstraint(
            model_name='labelsetversion',
            constraint=models.UniqueConstraint(fields=('label_set', 'number'), name='label_set_version_once'),
        ),
        migrations.AddConstraint(
            model_name='labelset',
            constraint=models.UniqueConstraint(models.F('owner'), gallery.models.words.Key('name'), condition=models.Q(('deleted_at', None)), name='label_set_name_once_per_owner', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.UniqueConstraint(fields=('category', 'image'), name='one_question_each'),
        ),
        migrations.RunSQL(CASCADES, migrations.RunSQL.noop),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
