"""The web server: gunicorn, with a worker whose threads never wait for a client
(docs/decisions/0025)."""
