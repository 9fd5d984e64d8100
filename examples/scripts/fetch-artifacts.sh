#!/bin/sh
# Fetches an artifact from the internal proxy with the token of the lease. Runs under:
#   capwrap run -c read-ci-artifacts -- ./examples/scripts/fetch-artifacts.sh build.txt
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec node "$here/fetch-artifacts.mjs" "$@"
