import gc
import os

import django
from django.urls import resolve

from clipsite.handlers import WebHandler
from gallery.pixels.places import be_quick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
# Requests are served by many threads, each of which multiplies small matrices: BLAS
# threads of their own would only wait for each other. Read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

django.setup(set_prefix=False)
application = WebHandler()
be_quick()
# What is loaded by now stays: the collector need not look through it during requests.
resolve("/")
gc.freeze()
# A page makes some thousand objects, most of which are gone with its request, so that the
# collector need not come after each 700. It stops all threads: 5,000 take it 5 ms at most,
# which is as cheap in all as 50,000 with 100 ms each, which everybody waited for.
gc.set_threshold(5_000, 10, 10)
