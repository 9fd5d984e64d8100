#!/usr/bin/env -S -u NODE_OPTIONS -u NODE_EXTRA_CA_CERTS -u NODE_V8_COVERAGE -u NODE_COMPILE_CACHE -u NODE_CHANNEL_FD -u NODE_REDIRECT_WARNINGS -u NODE_USE_ENV_PROXY -u NODE_USE_SYSTEM_CA -u OPENSSL_CONF node
try {
  require('../dist/start.js');
} catch {
  process.stderr.write('capwrap: error: the installation is damaged: dist/start.js is missing or broken\n');
  process.exitCode = 125;
}
