// What the child prints: files of 8 MiB that are printed over and over.
import { createCipheriv } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CREDENTIALS } from './secrets.mjs';

export const TILE_MB = 8;
const SIZE = TILE_MB * 1024 * 1024;
const SECRET_EVERY = 4096;

/** Writes the files; returns each input's file, by its name, and the set of credentials that it is meant for. */
export async function writeInputs(folder) {
  const log = logText();
  const contents = {
    'log text': log,
    'zero bytes': Buffer.alloc(SIZE),
    base64: base64Text(),
    'random bytes': randomBytes(),
    'a secret every 4 KiB': withSecrets(log),
    'hostile: first byte': Buffer.alloc(SIZE, CREDENTIALS.AWS_SESSION_TOKEN[0]),
    'hostile: near-matches': repeated(nearMatch()),
    'hostile: self-overlap': Buffer.alloc(SIZE, 'a'),
  };
  const inputs = {};
  for (const [name, content] of Object.entries(contents)) {
    const file = join(folder, name.replace(/\W+/g, '-'));
    await writeFile(file, content);
    inputs[name] = { file, set: name.endsWith('self-overlap') ? 'SELF_OVERLAPPING' : 'CREDENTIALS' };
  }
  return inputs;
}

/** All but the last byte of a form: a session token, as it looks in base64. */
function nearMatch() {
  const value = Buffer.from(CREDENTIALS.AWS_SESSION_TOKEN);
  return Buffer.from(value.toString('base64').slice(0, Math.floor((value.length * 8) / 6) - 1));
}

function logText() {
  const random = randomBytes();
  const lines = [];
  for (let size = 0, at = 0; size < SIZE; at += 8) {
    const time = new Date(1_741_000_000_000 + at * 37).toISOString();
    const id = random.toString('hex', at, at + 8);
    const path = ['/api/v1/orders', '/healthz', '/assets/main.css', '/login'][random[at] % 4];
    lines.push(`${time} INFO  [worker-${random[at + 1] % 8}] GET ${path} 200 ${random[at + 2]}ms id=${id}\n`);
    size += lines.at(-1).length;
  }
  return Buffer.from(lines.join('')).subarray(0, SIZE);
}

function withSecrets(text) {
  const out = Buffer.from(text);
  const secrets = Object.values(CREDENTIALS);
  for (let at = 0, turn = 0; at + SECRET_EVERY <= SIZE; at += SECRET_EVERY, turn++) {
    out.write(secrets[turn % secrets.length], at + ((turn * 997) % 3200));
  }
  return out;
}

function base64Text() {
  const encoded = randomBytes()
    .subarray(0, SIZE * 0.75)
    .toString('base64');
  return Buffer.from(encoded.replace(/.{76}/g, '$&\n').slice(0, SIZE));
}

/** The same ones at each run. */
function randomBytes() {
  return createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16)).update(Buffer.alloc(SIZE));
}

function repeated(piece) {
  return Buffer.alloc(SIZE, piece);
}
