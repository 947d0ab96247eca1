#!/bin/sh
# Checks the deployment files without a Docker engine: the compose file against
# the compose schema, the Dockerfile with hadolint, the scripts with the shell.
# The tools come from requirements-dev.txt. Run this like `make lint` does, with
# the virtual environment's bin first in PATH.
set -eu
cd "$(dirname "$0")/.."

check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
hadolint --failure-threshold style Dockerfile
for script in deploy/*.sh; do
    sh -n "$script"
done
