#!/bin/sh
# Starts one role of Clipsite. Any other argument is run as a command:
#   docker compose run --rm web python manage.py createsuperuser
set -eu

# TMPDIR is set if /tmp is in memory: large temporary files then are on the disk.
if printenv TMPDIR >/dev/null; then
    mkdir -p "$TMPDIR"
    # Remove the files of killed processes.
    find "$TMPDIR" -mindepth 1 -mtime +1 -delete
fi

# Otherwise each thread has its own heap and keeps the memory that it once needed.
export MALLOC_ARENA_MAX=2

case "${1:-web}" in
web)
    exec gunicorn clipsite.wsgi --bind 0.0.0.0:8000 \
        --workers "${WEB_WORKERS:-2}" --threads "${WEB_THREADS:-16}" \
        --graceful-timeout 30 --worker-tmp-dir /dev/shm --no-control-socket \
        --access-logfile -
    ;;
media)
    # One thread works, with its own threads for each picture; the other takes messages.
    exec celery -A clipsite worker -Q media -P threads -c 2 \
        -n media@%h -l "${LOG_LEVEL:-INFO}"
    ;;
chores)
    # More than all lanes of gallery/tasks.py together, so that each lane always gets a thread.
    exec celery -A clipsite worker -Q chores -P threads -c 20 \
        -n chores@%h -l "${LOG_LEVEL:-INFO}"
    ;;
encoder)
    # Eight threads: some stay free for queries while a batch is indexed.
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
