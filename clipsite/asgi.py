import os

import django

from clipsite.handlers import AsyncWebHandler
from gallery.pixels.places import be_quick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")

django.setup(set_prefix=False)
application = AsyncWebHandler()
be_quick()
