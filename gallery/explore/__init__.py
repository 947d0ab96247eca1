"""The map of the library by meaning: laid out by a worker, shown to each viewer with
the pictures that they may see and no others.

layout (a process of its own) -> drawing and placing (worker for chores) -> points, regions
and their names (web).
"""
