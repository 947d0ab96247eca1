"""The project: settings, URLs, the Celery application, the embedded services.

Importing the package imports nothing: the launcher in clipsite.embedded has to stay
small. gallery.apps binds the Celery application when Django starts.
"""
