"""The Celery application: four queues and three workers.

`query`   encode what somebody is waiting for (never behind an indexing batch)
`index`   the doorbell of what needs a model, and the space jobs; the same worker
`media`   the doorbell of previews, colours and comparisons
`chores`  work without an end in sight, each kind in a lane of its own
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")

app = Celery("clipsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["gallery"])
