#!/bin/sh
# Installs the packages of the encoder worker: install-worker.sh LOCK [INDEX]
# With an index of CPU-only wheels torch and torchvision come from there; the others keep
# their hashes, and what only GPUs need is left out.
set -eu
lock=$1
index=${2:-}

if [ -z "$index" ]; then
    exec pip install --require-hashes -r "$lock"
fi
torch=$(sed -n 's/^\(torch\(vision\)\{0,1\}==[^ ;]*\).*/\1/p' "$lock")
# An entry is a line with a version and its hashes on lines of their own.
awk '/^[^ ]/ { keep = !/^(torch|torchvision|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ } keep' \
    "$lock" > "$lock.cpu"
# shellcheck disable=SC2086  # two words are meant
pip install --index-url "$index" --no-deps $torch
pip install --require-hashes --no-deps -r "$lock.cpu"
pip check
