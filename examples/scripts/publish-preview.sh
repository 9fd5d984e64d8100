#!/bin/sh
# Publishes ./site to the preview bucket and invalidates the CDN. Runs under:
#   capwrap run -c publish-preview-build -j "preview of my branch" --environment preview -- ./examples/scripts/publish-preview.sh
# The credential is in the environment that capwrap built, and is gone with this process.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec node "$here/publish-preview.mjs" "$@"
