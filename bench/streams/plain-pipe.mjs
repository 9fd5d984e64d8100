// The least that a Node program can do with a child's output: `node plain-pipe.mjs COMMAND...`.
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'] });
child.stdout.pipe(process.stdout);
process.stdout.on('error', () => process.exit(1));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
