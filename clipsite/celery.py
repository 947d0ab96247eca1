"""The Celery application: three queues, each consumed by its own worker.

`query`   encode what somebody is waiting for (never behind an indexing batch)
`index`   the doorbell of the indexing pipeline and the space jobs
`media`   renditions, purges and everything else that needs no model
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")

app = Celery("clipsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["gallery"])
