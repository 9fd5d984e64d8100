#!/bin/sh
# Prints the commit at the head of acme/docs. git finds the lease in its environment; there is no token here. Runs under:
#   capwrap run -c read-docs -- ./scripts/docs-head.sh
set -eu
exec git ls-remote "$DOCS_URL" refs/heads/main
