#!/bin/sh
# Installs the packages of the encoder worker: install-worker.sh LOCK [INDEX]
# INDEX is a package index with CPU-only wheels. torch and torchvision then come from there, all
# other packages keep their hashes, and packages that only GPUs need are left out.
set -eu
lock=$1
index=${2:-}

if [ -z "$index" ]; then
    exec pip install --require-hashes -r "$lock"
fi
torch=$(sed -n 's/^\(torch\(vision\)\{0,1\}==[^ ;]*\).*/\1/p' "$lock")
# An entry is a line with a version, followed by indented lines with its hashes.
awk '/^[^ ]/ { keep = !/^(torch|torchvision|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ } keep' \
    "$lock" > "$lock.cpu"
# shellcheck disable=SC2086  # word splitting is intended
pip install --index-url "$index" --no-deps $torch
pip install --require-hashes --no-deps -r "$lock.cpu"
pip check
