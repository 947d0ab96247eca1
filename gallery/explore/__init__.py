"""The map of the library by meaning. A worker lays it out; each viewer sees only the pictures
that they may see.

layout (a separate process) -> build and placement (worker for chores) -> points, regions and
their names (web).
"""
