"""Formats of dates where those of Django mix styles."""
