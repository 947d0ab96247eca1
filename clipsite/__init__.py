"""The project: settings, URLs, the Celery application, the embedded services.

The package itself imports nothing, because the launcher in clipsite.embedded must stay small.
gallery.apps sets the current Celery application when Django starts.
"""
