"""The project: settings, URLs, the Celery application, the embedded services.

The package itself imports nothing, because the launcher in clipsite.embedded must stay small.
gallery.apps sets the current Celery application when Django starts.
"""

# The one place where the version stands; pyproject.toml, the API and its schema read it here.
__version__ = "0.2.0"
