/** The first code that runs: keeps Node from giving away what it holds, has compiled code kept, and hands over. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isatty } from 'node:tty';
import { keepCompiledCode } from './base/code-cache.ts';
import { ownFolderIn } from './base/own-folder.ts';

// Library warnings (deprecations, experimental features) are not the caller's business and could quote values.
process.removeAllListeners('warning');
process.on('warning', () => undefined);
process.on('exit', forgetDeadTerminals);
// Without a listener, SIGUSR1 opens Node's inspector, through which a lease could be read.
process.on('SIGUSR1', () => undefined);

if (process.channel) {
  stop('"NODE_CHANNEL_FD" is set: a channel to another Node process is no way to start capwrap');
} else {
  useCompileCache();
  import('./cli.ts').then(
    ({ main }) => main(),
    () => stop('the installation is damaged: a part of it is missing'),
  );
}

/**
 * At its exit Node sets the terminal as it was, and aborts, with a core file, where the terminal has been hung up by
 * then. Another file in its place is left alone.
 */
function forgetDeadTerminals(): void {
  for (const fd of [0, 1, 2]) {
    try {
      if (!fstatSync(fd).isCharacterDevice() || isatty(fd)) continue;
      closeSync(fd);
      openSync('/dev/null', 'r+'); // takes the lowest number that is free
    } catch {
      // closed already
    }
  }
}

/** The end before there is anything else to report it. */
function stop(message: string): never {
  process.stderr.write(`capwrap: error: ${message}\n`);
  process.exit(125);
}

/** Keeps compiled code between runs. Without a folder for it the run is only slower. */
function useCompileCache(): void {
  const home = process.env['HOME']; // capwrap reads its own environment before it is taken away
  if (!home || !isAbsolute(home)) return;
  try {
    // Whoever writes there decides what capwrap executes.
    const user = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
    const folder = ownFolderIn(home, ['.cache', 'capwrap', 'compile-cache'], user);
    if (folder !== null) keepCompiledCode(__dirname, folder);
  } catch {
    // no home, or a read-only one
  }
}
