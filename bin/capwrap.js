#!/bin/sh
':' /*
# To a shell, what follows takes away Node's own variables and becomes Node; to Node it is a comment. (`env -S` in the
# first line could do the former, but BusyBox has no -S, and pnpm's shim misreads it.)
unset NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_COMPILE_CACHE NODE_CHANNEL_FD NODE_REDIRECT_WARNINGS \
  NODE_USE_ENV_PROXY NODE_USE_SYSTEM_CA OPENSSL_CONF
# Three things that Node can't tell or make by itself: which descriptors the caller opened (Node opens its own before
# any script runs), which signals the caller ignored (Node resets them), and two pipes (Node's are sockets). A small
# here-document is a pipe in dash, BusyBox and bash 5.1, written by the shell itself without another process.
fds='' pipes='' ignored=''
dir=/proc/$$/fd
[ -d "$dir" ] || dir=/dev/fd
for fd in "$dir"/*; do
  [ -e "$fd" ] && ! [ "$fd" -ef "$0" ] 2>/dev/null && fds="$fds,${fd#"$dir/"}"
done
if [ "$dir" != /dev/fd ]; then
  while read -r name ignored && [ "$name" != SigIgn: ]; do :; done <"/proc/$$/status"
  for fd in 9 8 7 6 5; do
    case "$fds,$pipes" in *",$fd,"* | *,?,?) continue ;; esac
    eval "exec $fd<<E
$$
E" && pipes="$pipes,$fd"
  done
fi 2>/dev/null
CAPWRAP_LAUNCHER="pid=$$ fds=${fds#,} ignored=$ignored pipes=${pipes#,}"
export CAPWRAP_LAUNCHER
exec node "$0" "$@"
*/
try {
  require('../dist/start.js');
} catch {
  process.stderr.write('capwrap: error: the installation is damaged: dist/start.js is missing or broken\n');
  process.exitCode = 125;
}
