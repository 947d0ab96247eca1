#!/bin/sh
# Starts one role of Clipsite; anything that is no role is run as a command:
#   docker compose run --rm web python manage.py createsuperuser
set -eu

# Set where /tmp is memory: what is too large for it lies on the disk.
if printenv TMPDIR >/dev/null; then
    mkdir -p "$TMPDIR"
    # What a process that was killed has left.
    find "$TMPDIR" -mindepth 1 -mtime +1 -delete
fi

# Each thread would otherwise have a heap of its own, and keep what it once needed.
export MALLOC_ARENA_MAX=2

case "${1:-web}" in
web)
    exec gunicorn clipsite.wsgi --bind 0.0.0.0:8000 \
        --workers "${WEB_WORKERS:-2}" --threads "${WEB_THREADS:-16}" \
        --graceful-timeout 30 --worker-tmp-dir /dev/shm --no-control-socket \
        --access-logfile -
    ;;
media)
    # One works, with threads of its own for each picture; the other hears rings meanwhile.
    exec celery -A clipsite worker -Q media -P threads -c 2 \
        -n media@%h -l "${LOG_LEVEL:-INFO}"
    ;;
chores)
    # More than all lanes of gallery/tasks.py together, so that a thread is left for each.
    exec celery -A clipsite worker -Q chores -P threads -c 20 \
        -n chores@%h -l "${LOG_LEVEL:-INFO}"
    ;;
encoder)
    # Eight threads: queries keep free ones while a batch is being indexed.
    exec celery -A clipsite worker -Q query,index -P threads -c 8 \
        -n encoder@%h -l "${LOG_LEVEL:-INFO}"
    ;;
beat)
    exec celery -A clipsite beat -s /tmp/beat-schedule --pidfile= -l "${LOG_LEVEL:-INFO}"
    ;;
migrate)
    python manage.py check --deploy --database default --fail-level ERROR
    python manage.py migrate --noinput
    exec python manage.py spaces ensure
    ;;
*)
    exec "$@"
    ;;
esac
