#!/bin/sh
':' /*
# To a shell, what follows takes away Node's own variables and becomes Node; to Node it is a comment. (`env -S` in the
# first line could do the former, but BusyBox has no -S, and pnpm's shim misreads it.)
unset NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_COMPILE_CACHE NODE_CHANNEL_FD NODE_REDIRECT_WARNINGS \
  NODE_USE_ENV_PROXY NODE_USE_SYSTEM_CA OPENSSL_CONF
# Three things that Node can't tell or make by itself: which descriptors the caller opened (Node opens its own before
# any script runs), which signals the caller ignored (Node resets them), and two pipes (Node's are sockets). A small
# here-document is a pipe in dash, BusyBox and bash 5.1, written by the shell itself without another process.
# The names are its own: one that the caller exports would be changed for the command.
capwrap_fds='' capwrap_pipes='' capwrap_ignored=''
capwrap_dir=/proc/$$/fd
[ -d "$capwrap_dir" ] || capwrap_dir=/dev/fd
for capwrap_fd in "$capwrap_dir"/*; do
  [ -e "$capwrap_fd" ] && ! [ "$capwrap_fd" -ef "$0" ] 2>/dev/null && capwrap_fds="$capwrap_fds,${capwrap_fd#"$capwrap_dir/"}"
done
if [ "$capwrap_dir" != /dev/fd ]; then
  while read -r capwrap_name capwrap_ignored && [ "$capwrap_name" != SigIgn: ]; do :; done <"/proc/$$/status"
  for capwrap_fd in 9 8 7 6 5; do
    case "$capwrap_fds,$capwrap_pipes" in *",$capwrap_fd,"* | *,?,?) continue ;; esac
    eval "exec $capwrap_fd<<E
$$
E" && capwrap_pipes="$capwrap_pipes,$capwrap_fd"
  done
fi 2>/dev/null
CAPWRAP_LAUNCHER="pid=$$ fds=${capwrap_fds#,} ignored=$capwrap_ignored pipes=${capwrap_pipes#,}"
export CAPWRAP_LAUNCHER
# A SIGUSR1 before Node's first script would open its inspector; it finds no such address to open it at (RFC 5737).
exec node --inspect-port=192.0.2.1:9229 "$0" "$@"
*/
try {
  require('../dist/start.js');
} catch {
  process.stderr.write('capwrap: error: the installation is damaged: dist/start.js is missing or broken\n');
  process.exitCode = 125;
}
