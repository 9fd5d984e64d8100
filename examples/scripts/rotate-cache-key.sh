#!/bin/sh
# Rotates the edge cache's signing key. A human approves each rotation. Runs under:
#   capwrap run -c rotate-cache-key -j "cache poisoned" -- ./examples/scripts/rotate-cache-key.sh
set -eu
exec aws secretsmanager rotate-secret --secret-id "${1:-edge-cache-key}"
