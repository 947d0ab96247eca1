import gc
import os

import django

from clipsite.handlers import WebHandler
from gallery.pixels.places import be_quick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
# Requests are served by many threads, each of which multiplies small matrices: BLAS
# threads of their own would only wait for each other. Read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

django.setup(set_prefix=False)
application = WebHandler()
be_quick()
# What is loaded by now stays: the collector need not look through it during requests, nor
# after each few hundred objects of a page, most of which are gone with their request.
gc.freeze()
gc.set_threshold(50_000, 20, 50)
