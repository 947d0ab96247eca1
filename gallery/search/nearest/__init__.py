"""Nearest-neighbour search, exact or by an index, and a sample of all vectors."""
