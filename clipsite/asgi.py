import os

from django.core.asgi import get_asgi_application

from gallery.pixels.places import be_quick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")

application = get_asgi_application()
be_quick()
