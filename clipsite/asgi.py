import os

import django

from clipsite.handlers import AsyncWebHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")

django.setup(set_prefix=False)
application = AsyncWebHandler()
