// The masker alone, without processes and pipes: `node bench/masker.mjs [--megabytes 100] [--rounds 5]`. Each input
// goes in chunks of 64 KiB through the masker, through a plain copy, and through a replacement of each form in turn.
// The three take turns, so that a busy machine slows down all of them; figures are those of the best round.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { load } from './bundle.mjs';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
  },
});
const total = Number(values.megabytes) * 1e6;
const rounds = Number(values.rounds);
const CHUNK = 65_536;
/** Free memory before each chunk, as the runner leaves it: what is held goes there. */
const ROOM = 4096;

const started = performance.now();
const { SecretRegistry } = await load(['src/redact/registry.ts']);
console.log(
  `Node ${process.versions.node}, ${values.megabytes} MB per input (bundled in ${since(started)} ms)`,
);

const KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const FIVE = {
  KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
  KEY,
  GIT: 'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
  CHAT: 'xoxb-1234567890-abcdefghij',
  PLAIN: 'Zx9fQ2mLp8Rt5VwK',
};
const LONG = {
  SESSION: randomBytes(750).toString('base64'),
  JWT: [
    'eyJhbGciOiJSUzI1NiJ9',
    randomBytes(300).toString('base64url'),
    randomBytes(256).toString('base64url'),
  ].join('.'),
};

const INPUTS = {
  zeros: Buffer.alloc(1e6),
  'log text': Buffer.from(logText(1e6)),
  base64: Buffer.from(randomBytes(750_000).toString('base64')),
  'base64, folded': Buffer.from(randomBytes(750_000).toString('base64').replace(/.{76}/g, '$&\n')),
  hexadecimal: Buffer.from(randomBytes(500_000).toString('hex')),
  'random bytes': randomBytes(1e6),
  "a secret's first byte": Buffer.alloc(1e6, KEY[0]),
  'all but the last byte': Buffer.alloc(1e6, KEY.slice(0, -1)),
  'half of it, line end': Buffer.alloc(1e6, `${KEY.slice(0, 20)}\n`),
  'the secret, a blank': Buffer.alloc(1e6, `${KEY} `),
};

build('five credentials', FIVE);
build('and two long ones', { ...FIVE, ...LONG });

const forms = registryOf(FIVE).needles();
const marker = '[capwrap:NAME]';
const texts = forms.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
const ways = {
  masker: () => {
    const redactor = registryOf(FIVE).redactor();
    return (chunk) => redactor.push(chunk, ROOM).length;
  },
  copy: () => (chunk) => Buffer.from(chunk).length,
  // Wrong at every cut between chunks; what a simple tool would do.
  'replace each': () => (chunk) => {
    let text = chunk.latin1Slice();
    for (const form of texts) text = text.replaceAll(form, marker);
    return Buffer.from(text, 'latin1').length;
  },
};

console.log(`\n${forms.length} forms; GB/s, and the masker as a multiple of the others`);
console.log(
  `${'input'.padEnd(24)}${Object.keys(ways)
    .map((name) => name.padStart(14))
    .join('')}${'of copy'.padStart(10)}${'of replace'.padStart(12)}`,
);
for (const [name, input] of Object.entries(INPUTS)) {
  const best = {};
  for (let round = 0; round < rounds; round++) {
    for (const [way, start] of Object.entries(ways)) {
      // A replacement of each form is slow; a tenth of the input tells as much.
      const bytes = way === 'replace each' ? total / 10 : total;
      best[way] = Math.max(best[way] ?? 0, speed(start(), input, bytes));
    }
  }
  const figures = Object.values(best).map((figure) => figure.toFixed(2).padStart(14));
  const ratios = [
    `${(best.masker / best.copy).toFixed(2)}x`.padStart(10),
    `${(best.masker / best['replace each']).toFixed(0)}x`.padStart(12),
  ];
  console.log(name.padEnd(24) + figures.join('') + ratios.join(''));
}
console.log(`\nmemory: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`);

/** GB/s of `take`, which is called with chunks of `input` until `bytes` have passed. */
function speed(take, input, bytes) {
  const chunks = [];
  for (let at = 0; at + CHUNK <= input.length; at += CHUNK) {
    const memory = Buffer.alloc(ROOM + CHUNK);
    input.copy(memory, ROOM, at, at + CHUNK);
    chunks.push(memory.subarray(ROOM));
  }
  let done = 0;
  const start = performance.now();
  while (done < bytes) {
    for (const chunk of chunks) take(chunk);
    done += chunks.length * CHUNK;
  }
  return done / (performance.now() - start) / 1e6;
}

/** Forms and tables are made on the way to every run's start, so the first time counts. */
function build(title, secrets) {
  const times = [];
  for (let round = 0; round < 20; round++) {
    const start = performance.now();
    registryOf(secrets).redactor();
    times.push(performance.now() - start);
  }
  const needles = registryOf(secrets).needles();
  const size = needles.reduce((sum, { bytes }) => sum + bytes.length, 0);
  console.log(
    `${title}: ${needles.length} forms of ${(size / 1000).toFixed(1)} kB; first ${times[0].toFixed(1)} ms, then ${Math.min(...times).toFixed(1)} ms`,
  );
}

function registryOf(secrets) {
  const registry = new SecretRegistry();
  for (const [name, value] of Object.entries(secrets)) registry.register(name, value);
  return registry;
}

function logText(length) {
  const words =
    'GET POST info warning error request user session failed retry connection listening at async node_modules express lib router index deploy bucket upload'.split(
      ' ',
    );
  const lines = [];
  let state = 1;
  let size = 0;
  const next = (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
  while (size < length) {
    const text = Array.from({ length: 5 + next(12) }, () =>
      next(5) === 0 ? `id=${next(1e6)}` : words[next(words.length)],
    );
    const line = `${new Date(1.7e12 + size * 37).toISOString()} [worker-${next(9)}] ${text.join(' ')}\n`;
    lines.push(line);
    size += line.length;
  }
  return lines.join('');
}

function since(start) {
  return (performance.now() - start).toFixed(0);
}
