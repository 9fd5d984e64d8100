#!/bin/sh
':' //; unset NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_COMPILE_CACHE NODE_CHANNEL_FD NODE_REDIRECT_WARNINGS NODE_USE_ENV_PROXY NODE_USE_SYSTEM_CA OPENSSL_CONF; exec node "$0" "$@"
// To a shell the line above takes Node's own variables away and becomes Node; to Node it is a text and a comment.
// (`env -S` in the first line would do the same, but BusyBox has no -S, and pnpm's shim misreads it.)
try {
  require('../dist/start.js');
} catch {
  process.stderr.write('capwrap: error: the installation is damaged: dist/start.js is missing or broken\n');
  process.exitCode = 125;
}
