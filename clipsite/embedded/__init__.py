"""PostgreSQL with pgvector and Valkey from pip wheels, and the launcher of `make demo`.

Nothing here imports Django: the launcher is a small process that starts others,
watches them and stops them. Docs: docs/operations.md.
"""
