#!/bin/sh
# Make sure that there is a Chromium for the browser tests. $1: the playwright program.
set -eu

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests …"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null \
        && exit 0
fi
"$1" install chromium || {
    echo "The browser tests need Chromium: install it (apt-get install chromium)." >&2
    exit 1
}
