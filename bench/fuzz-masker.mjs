// Holds the masker against the model that its tests use, on random secrets, surroundings, cuts and releases:
// `node bench/fuzz-masker.mjs [--seconds 20] [--cases N] [--seed N]`. Prints a small reproduction and exits 1 where
// they differ.
import { parseArgs } from 'node:util';
import { load } from './bundle.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    cases: { type: 'string' },
    seed: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const until = performance.now() + Number(values.seconds) * 1000;
const most = values.cases === undefined ? Number.POSITIVE_INFINITY : Number(values.cases);

const { createMatcher, createRedactor, SecretRegistry, maskNaively, shownBefore } = await load([
  'src/redact/matcher.ts',
  'src/redact/redactor.ts',
  'src/redact/registry.ts',
  'test/redact/naive.ts',
]);

let random = randomFrom(seed);
let done = 0;
let hits = 0;
while (done < most && performance.now() < until) {
  random = randomFrom(seed + done);
  const example = makeCase();
  const fault = check(example);
  if (fault !== null) {
    const small = shrink(example);
    console.log(`seed ${seed}, case ${done}: ${check(small)}`);
    console.log(JSON.stringify(readable(small), null, 2));
    console.log(`again: node bench/fuzz-masker.mjs --seed ${seed + done} --cases 1`);
    process.exit(1);
  }
  done += 1;
}
console.log(`${done} cases with ${hits} matches agree with the model; seed ${seed}`);

/** Few different bytes make needles overlap; real forms are long. Both are tried. */
function makeCase() {
  const needles = chance(0.4) ? realNeedles() : smallNeedles();
  const parts = Array.from({ length: below(9) }, () => part(needles));
  const text = Buffer.concat(parts);
  const cuts = [];
  const size = 1 + below(pick([2, 6, 40, 400]));
  for (let at = 0; at < text.length; ) {
    const length = Math.min(text.length - at, 1 + below(size));
    cuts.push({ length, release: chance(0.5), room: chance(0.5) ? below(200) : 0 });
    at += length;
  }
  return { needles, text, cuts };
}

function smallNeedles() {
  const alphabet = pick(['a', 'ab', 'ab', 'abc', 'ant', 'ab\\n', 'a \n', 'é日', 'a\0\xff$&']);
  const repeats = chance(0.3);
  return Array.from({ length: 1 + below(4) }, (_, index) => ({
    bytes: repeats ? repeating(alphabet) : text(alphabet, 6 + below(pick([4, 20, 90]))),
    name: `N${index}`,
    folds: chance(0.6),
  }));
}

/** Begins by repeating a few bytes, and goes on otherwise. */
function repeating(alphabet) {
  return Buffer.concat([Buffer.alloc(6 + below(60), text(alphabet, 1 + below(5))), text(alphabet, below(4))]);
}

function realNeedles() {
  const secrets = new SecretRegistry();
  const alphabets = [
    'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=',
    'ab',
    ' "\'\\$&<%é/\nx',
    'aab\n',
  ];
  for (let index = 0; index <= below(3); index++) {
    secrets.register(`S${index}`, text(pick(alphabets), 8 + below(pick([4, 30, 120]))).toString());
  }
  return [...secrets.needles()];
}

function part(needles) {
  const { bytes, folds } = needles.length > 0 ? pick(needles) : { bytes: Buffer.alloc(0), folds: false };
  const from = chance(0.6) ? 0 : below(bytes.length + 1);
  const piece = Buffer.from(bytes.subarray(from, chance(0.6) ? bytes.length : below(bytes.length + 1)));
  const kind = below(9);
  if (kind === 0) return text('ab \n\\nt\r', below(6));
  if (kind === 1)
    return Buffer.from(
      pick(['\n', '\r\n', '  ', '\\n', '\\', '[capwrap', '\x1b[31m', 'n', 't\\n', '\n    ']),
    );
  if (kind === 2) return Buffer.from(Array.from({ length: below(8) }, () => below(256)));
  if (kind === 8 && bytes.length > 0) return Buffer.alloc(below(120), bytes.subarray(0, 1 + below(6)));
  if (kind === 7 && chance(0.5)) return Buffer.alloc(below(150), '.');
  if (kind < 6 && folds !== undefined) return folded(piece);
  return piece;
}

function folded(piece) {
  const fold = pick([
    '\n',
    '\r\n',
    '\n  ',
    '\r\n        ',
    '\\n',
    '\\r\\n',
    ' \n',
    '\n'.padEnd(32),
    '\n'.padEnd(33),
    ' ',
  ]);
  const width = pick([1 + below(40), 16, 35, 36, 37, 38, 64, 76]);
  const first = chance(0.2) ? 1 : 1 + below(width);
  const lines = [Buffer.from(chance(0.2) ? '\\' : ''), piece.subarray(0, first)];
  for (let at = first; at < piece.length; at += width)
    lines.push(Buffer.from(fold), piece.subarray(at, at + width));
  return Buffer.concat(lines);
}

/** What is wrong with the masker's output, or null. */
function check({ needles, text, cuts }) {
  if (needles.length === 0) return null;
  const matcher = createMatcher(needles);
  const expected = maskNaively(text, needles);
  const plain = run(createRedactor(needles, matcher), text, cuts, false);
  if (!plain.out.equals(expected.out)) return `shows ${show(plain.out)} instead of ${show(expected.out)}`;
  if (plain.hits !== expected.hits) return `counts ${plain.hits} instead of ${expected.hits}`;
  hits += expected.hits;
  const eager = run(createRedactor(needles, matcher), text, cuts, true);
  if (eager.hits !== expected.hits) return `with releases counts ${eager.hits} instead of ${expected.hits}`;
  const shown = shownBefore(eager.out, text, needles);
  if (shown === null) return `with releases shows ${show(eager.out)} instead of ${show(expected.out)}`;
  if (Math.max(0, ...shown) > 3) return `releases ${Math.max(...shown)} bytes`;
  return null;
}

function run(redactor, text, cuts, releases) {
  const out = [];
  let at = 0;
  for (const { length, release, room } of cuts) {
    const memory = Buffer.alloc(room + length, '#');
    text.copy(memory, room, at, at + length);
    out.push(Buffer.from(redactor.push(memory.subarray(room), room)));
    memory.fill('#');
    if (releases && release) out.push(redactor.release());
    at += length;
  }
  out.push(redactor.flush());
  return { out: Buffer.concat(out), hits: redactor.hits };
}

/** Takes needles, cuts and stretches of the text away while the fault stays. */
function shrink(example) {
  let best = example;
  for (let again = true; again; ) {
    again = false;
    for (const smaller of smallerThan(best)) {
      if (check(smaller) === null) continue;
      best = smaller;
      again = true;
      break;
    }
  }
  return best;
}

function* smallerThan({ needles, text, cuts }) {
  for (let i = 0; needles.length > 1 && i < needles.length; i++)
    yield { needles: needles.toSpliced(i, 1), text, cuts };
  for (let i = 0; i + 1 < cuts.length; i++) {
    const joined = { ...cuts[i], length: cuts[i].length + cuts[i + 1].length };
    yield { needles, text, cuts: cuts.toSpliced(i, 2, joined) };
  }
  for (let size = text.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < text.length; from += size)
      yield { needles, ...without(text, cuts, from, size) };
  }
}

function without(text, cuts, from, size) {
  const left = [];
  let at = 0;
  for (const cut of cuts) {
    const lost = Math.max(0, Math.min(at + cut.length, from + size) - Math.max(at, from));
    if (cut.length > lost) left.push({ ...cut, length: cut.length - lost });
    at += cut.length;
  }
  return { text: Buffer.concat([text.subarray(0, from), text.subarray(from + size)]), cuts: left };
}

function readable({ needles, text, cuts }) {
  return {
    needles: needles.map((needle) => ({ ...needle, bytes: show(needle.bytes) })),
    text: show(text),
    cuts,
  };
}

function show(bytes) {
  return JSON.stringify(Buffer.from(bytes).toString('latin1'));
}

/** Numbers from 0 to 1 that follow from the seed (Marsaglia's xorshift). */
function randomFrom(start) {
  let state = (Math.imul(start, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function below(limit) {
  return Math.floor(random() * limit);
}

function chance(share) {
  return random() < share;
}

function pick(list) {
  return list[below(list.length)];
}

function text(alphabet, length) {
  const chars = [...alphabet];
  return Buffer.from(Array.from({ length }, () => pick(chars)).join(''));
}
