"""Notices of what is shared, pictures of accounts, selections that are shared."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0019_label_sets'),
    ]

    operations = [
        migrations.AddField(
            model_name='album',
            name='for_sharing',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='user',
            name='mail_notices',
            field=models.BooleanField(default=False, verbose_name='tell me by mail what is shared with me'),
        ),
        migrations.AddField(
            model_name='user',
            name='portrait_id',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='image',
            name='visibility',
            field=models.CharField(choices=[('private', 'Private'), ('unlisted', 'Anyone with the link'), ('public', 'Public')], default='private', max_length=10, verbose_name='visibility'),
        ),
        migrations.CreateModel(
            name='Portrait',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('content', models.BinaryField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='portrait', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'picture of an account',
                'verbose_name_plural': 'pictures of accounts',
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('album', 'Shared an album with you'), ('pictures', 'Shared pictures with you')], max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('mail_link', models.CharField(blank=True, default='', max_length=500)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('album', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='gallery.album')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['recipient', '-created_at', '-id'], name='notice_of_recipient'), models.Index(condition=models.Q(('mail_link', ''), _negated=True), fields=['created_at'], name='notice_to_mail')],
                'constraints': [models.UniqueConstraint(fields=('recipient', 'album'), name='notice_once_per_recipient_and_album')],
            },
        ),
    ]
