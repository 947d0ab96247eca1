"""Queries: terms and filters, as a query line, as JSON and as one vector."""
