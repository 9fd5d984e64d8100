// What one writes first: each chunk as text, the raw values replaced. Misses what is cut in two and breaks binary data.
import { spawn } from 'node:child_process';
import { CREDENTIALS } from './secrets.mjs';

const secrets = Object.values(CREDENTIALS);
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'] });
child.stdout.on('data', (chunk) => {
  let text = chunk.toString();
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  if (!process.stdout.write(text)) {
    child.stdout.pause();
    process.stdout.once('drain', () => child.stdout.resume());
  }
});
process.stdout.on('error', () => process.exit(1));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
