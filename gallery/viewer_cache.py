"""The size of caches that hold one entry for each viewer."""

# Each process caches the SQL that depends on the viewer for the latest N viewers: about
# 100 kB for each viewer in all. Without the cache a page takes some milliseconds longer.
MAX_VIEWERS = 256
