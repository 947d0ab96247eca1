import gc
import os

import django
from django.urls import resolve

from clipsite.handlers import WebHandler
from gallery.pixels.places import be_quick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
# Many threads serve requests, and each one multiplies small matrices. Additional BLAS threads
# would only wait for each other. NumPy reads this variable at its import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

django.setup(set_prefix=False)
application = WebHandler()
be_quick()
# The objects that exist now stay, so the garbage collector can skip them.
resolve("/")
gc.freeze()
# A page creates some thousand objects, and most of them end with the request. So the collector
# need not run after each 700 new objects. It stops all threads: at a threshold of 5,000 a run
# takes at most 5 ms. At 50,000 the total cost is the same, but each run stops everybody for
# 100 ms.
gc.set_threshold(5_000, 10, 10)
