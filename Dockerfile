# syntax=docker/dockerfile:1
# Two images from one file:
#   docker build --target web    -t clipsite-web .      no torch: all but the encoder
#   docker build --target worker -t clipsite-worker .   the encoder worker, on CPU or GPU

# That of clipsite/__init__.py: a test compares them.
ARG VERSION=0.2.0

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/venv/bin:$PATH \
    DATA_DIR=/data \
    HF_HOME=/models
# The number of the group is fixed: the proxy joins it to read the pictures.
RUN groupadd --gid 10001 clipsite \
    && useradd --uid 10001 --gid clipsite --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin clipsite \
    && install --directory --owner=clipsite --group=clipsite /data /models
WORKDIR /app

FROM base AS web-packages
COPY requirements/lock/web.txt requirements/lock/
RUN python -m venv /opt/venv && pip install --require-hashes -r requirements/lock/web.txt

FROM web-packages AS media-packages
COPY requirements/lock/media.txt requirements/lock/
RUN pip install --require-hashes -r requirements/lock/media.txt

FROM web-packages AS worker-packages
# The default torch runs on CPU and on NVIDIA GPUs. For a CPU-only image that is
# some gigabytes smaller, give the address of an index with CPU-only wheels: torch and
# torchvision of the locked versions then come from there, without hashes, since they are
# other files, and without the libraries for GPUs.
ARG TORCH_INDEX_URL=""
COPY requirements/lock/worker.txt requirements/lock/
COPY deploy/install-worker.sh deploy/
RUN sh deploy/install-worker.sh requirements/lock/worker.txt "$TORCH_INDEX_URL"

FROM web-packages AS source
COPY manage.py gunicorn.conf.py LICENSE NOTICE ./
COPY clipsite clipsite
COPY gallery gallery
COPY templates templates
COPY static static
COPY locale locale
COPY deploy/entrypoint.sh deploy/healthcheck.py deploy/
RUN SECRET_KEY=only-while-the-image-is-built-and-never-to-serve-anybody python manage.py collectstatic --noinput

# One image for all that need no torch. The worker for chores alone uses what
# requirements/map.txt brings (about 400 MB): two would need more room.
FROM base AS web
# What numba compiles for the map of the library goes where this user may write.
ENV NUMBA_CACHE_DIR=/tmp/numba
COPY --from=media-packages /opt/venv /opt/venv
COPY --from=source /app /app
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["web"]
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 \
    CMD ["python", "-m", "deploy.healthcheck", "web"]
ARG VERSION
LABEL org.opencontainers.image.title="Clipsite" \
    org.opencontainers.image.version="$VERSION"

FROM base AS worker
COPY --from=worker-packages /opt/venv /opt/venv
COPY --from=source /app /app
USER 10001:10001
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["encoder"]
HEALTHCHECK --interval=30s --timeout=20s --start-period=120s --retries=4 \
    CMD ["python", "-m", "deploy.healthcheck", "encoder"]
ARG VERSION
LABEL org.opencontainers.image.title="Clipsite encoder worker" \
    org.opencontainers.image.version="$VERSION"
