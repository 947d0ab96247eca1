"""The Celery application: four queues and three workers.

`query`   encode queries for which somebody waits (never behind an indexing batch)
`index`   wake the work that needs a model, and the space jobs; the same worker
`media`   wake the work on previews, colours and comparisons
`chores`  long work, each kind in its own lane
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")

app = Celery("clipsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["gallery"])
