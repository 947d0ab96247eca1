from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = _("Gallery")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import clipsite.celery  # noqa: F401  (makes it the current Celery application)
        from gallery import (
            analysers,
            checks,  # noqa: F401  (registers the system checks)
        )
        from gallery.accounts import signals
        from gallery.accounts.credentials import watch_second_factors

        analysers.register()
        signals.connect()
        watch_second_factors()
