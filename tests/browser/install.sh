#!/bin/sh
# Make sure that there is a Chromium for the browser tests. $1: the playwright program.
# The headless shell draws the same pages with a third less work.
set -eu

for browser in chromium-headless-shell chromium google-chrome; do
    command -v "$browser" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests …"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq chromium-headless-shell >/dev/null && exit 0
fi
"$1" install --only-shell chromium || {
    echo "The browser tests need Chromium: install it (apt-get install chromium)." >&2
    exit 1
}
