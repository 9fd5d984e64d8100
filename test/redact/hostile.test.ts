/** Outputs made to slip through, each cut at every byte, one byte at a time, and with pauses. */
import { describe, expect, it } from 'vitest';
import { createMatcher } from '../../src/redact/matcher.ts';
import { createRedactor, type Needle } from '../../src/redact/redactor.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import { maskNaively, shownBefore } from './naive.ts';

const KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const META = '$& $1 $$ .*+?^$|()[]{} \\ %s';
const PEM = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSj+/==\n-----END KEY-----';
const SECRETS: Readonly<Record<string, string>> = {
  key: KEY,
  meta: META,
  pem: PEM,
  accents: 'pässwörd-日本-🔑',
  overlap: 'aabaabaab',
  run: 'aaaaaaaaaaaa',
  quotes: `it's "so" <b>&amp;</b> \`x\``,
};

const hex = (value: string) => Buffer.from(value).toString('hex');
const base64 = (value: string) => Buffer.from(value).toString('base64');
const json = (value: string) => JSON.stringify(value).slice(1, -1);
const fold = (text: string, width: number, end: string) =>
  Array.from({ length: Math.ceil(text.length / width) }, (_, line) =>
    text.slice(line * width, (line + 1) * width),
  ).join(end);

/** How each secret is written; the text of a case is that, with something before and behind it. */
const WRITERS: Readonly<Record<string, (value: string) => string>> = {
  raw: (value) => value,
  'raw with CRLF': (value) => value.replaceAll('\n', '\r\n'),
  'raw, indented': (value) => value.trim().replaceAll('\n', '\n    '),
  JSON: json,
  'JSON in JSON': (value) => json(json(value)),
  'ASCII JSON': (value) =>
    json(value).replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'a URL': (value) => encodeURIComponent(value),
  'a form body': (value) => new URLSearchParams({ value }).toString().slice(6),
  hex,
  'HEX:': (value) =>
    hex(value)
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:'),
  'folded hex': (value) => fold(hex(value), 60, '\n'),
  base64,
  'URL base64': (value) => Buffer.from(value).toString('base64url'),
  'base64 behind one byte': (value) => base64(`a${value}`),
  'base64 behind two bytes': (value) => base64(`ab${value}`),
  'base64 in 64 columns': (value) => fold(base64(`${'x'.repeat(40)}${value}`), 64, '\n'),
  'base64 in 76 columns, CRLF': (value) => fold(base64(`${'x'.repeat(50)}${value}`), 76, '\r\n'),
  'base64 in YAML': (value) => fold(base64(`${'x'.repeat(44)}${value}`), 64, '\n      '),
  'base64 in lines, in JSON': (value) => fold(base64(`${'x'.repeat(45)}${value}`), 64, '\\n'),
};

const SURROUNDINGS: readonly [string, string, string][] = [
  ['alone', '', ''],
  ['in colours, between lines', 'one\r\n\x1b[1;31m', '\x1b[0m\r\ntwo'],
  ['between broken characters and NULs', '\0\xc3\x28\xe2\x82 ', ' \0\xff\x80'],
];

/** [what it shows, secrets, output, expected] */
const TRICKS: readonly [string, readonly string[], string, string][] = [
  ['a prefix of another', ['hunter2-secret', 'hunter2-secret-longer'], 'hunter2-secret-longer', '<B>'],
  [
    'a prefix of another, that fails',
    ['hunter2-secret', 'hunter2-secret-longer'],
    'hunter2-secret-longe',
    '<A>-longe',
  ],
  ['a suffix of another', ['secret-of-hers', 'top-secret-of-hers'], 'a top-secret-of-hers', 'a <B>'],
  [
    'a suffix of another that fails',
    ['secret-of-hers', 'top-secret-of-hers'],
    'tap-secret-of-hers',
    'tap-<A>',
  ],
  ['inside another', ['of-the-king', 'secret-of-the-kingdom'], 'secret-of-the-kingdom', '<B>'],
  [
    'inside another that fails',
    ['of-the-king', 'secret-of-the-kingdom'],
    'secret-of-the-kingdo',
    'secret-<A>do',
  ],
  ['two that touch', ['first-one-1', 'second-one'], 'first-one-1second-one', '<A><B>'],
  ['two that overlap', ['abcdefgh-12', '12-ijklmnopq'], '(abcdefgh-12-ijklmnopq)', '(<B>)'],
  ['three that overlap in a chain', ['abcdefgh', 'ghijklmn', 'mnopqrst'], 'abcdefghijklmnopqrst', '<A>'],
  ['the same twice', ['hunter2-secret'], 'hunter2-secrethunter2-secret', '<A><A>'],
  ['its own beginning before it', ['hunter2-secret'], 'hunter2-secrhunter2-secret', 'hunter2-secr<A>'],
  ['its own beginning, again and again', ['hunter2-secret'], 'hunhunhunterhunter2-secret', 'hunhunhunter<A>'],
  ['its end behind it', ['hunter2-secret'], 'hunter2-secretsecret', '<A>secret'],
  ['woven into itself', ['hunter2-secret'], 'huhunter2-secretnter2-secret', 'hu<A>nter2-secret'],
  ['one byte missing', ['hunter2-secret'], 'hunter2-ecret', 'hunter2-ecret'],
  ['one byte too many', ['hunter2-secret'], 'hunter2--secret', 'hunter2--secret'],
  ['other case', ['hunter2-secret'], 'HUNTER2-SECRET', 'HUNTER2-SECRET'],
  ['overlapping itself three times', ['aabaabaab'], '-aabaabaabaabaab-', '-<A>-'],
  ['overlapping itself, then failing', ['aabaabaac'], 'aabaabaabaabaac', 'aabaab<A>'],
  ['a long run of one byte', ['aaaaaaaa'], `b${'a'.repeat(60)}b`, 'b<A>b'],
  ['a run that is too short', ['aaaaaaaa'], 'baaaaaaab', 'baaaaaaab'],
  ['a run, then its end', ['aaaaaaab'], `${'a'.repeat(30)}b`, `${'a'.repeat(23)}<A>`],
  [
    'a run that stops too soon',
    ['aaaaaaab'],
    `${'a'.repeat(30)}c${'a'.repeat(5)}b`,
    `${'a'.repeat(30)}c${'a'.repeat(5)}b`,
  ],
  ['a run that stops too soon, twice', ['aaaaaaab'], `${'a'.repeat(30)}caaaaaaab`, `${'a'.repeat(30)}c<A>`],
  [
    'runs of two lengths',
    ['aaaaaaab', 'aaaaaaaaab'],
    `${'a'.repeat(8)}b${'a'.repeat(30)}b`,
    `a<A>${'a'.repeat(21)}<B>`,
  ],
  ['a run that goes on in the secret', ['aabaabaabac'], `aab${'aab'.repeat(8)}ac`, `${'aab'.repeat(6)}<A>`],
  ['a run in another phase', ['aabaabaabX'], `${'aab'.repeat(4)}aaabaabaabX`, `${'aab'.repeat(4)}a<A>`],
  [
    'a run, folded at its end',
    [`${'a'.repeat(39)}b`],
    `${'a'.repeat(50)}\nb${'a'.repeat(39)}b${'.'.repeat(99)}`,
    `${'a'.repeat(11)}<A><A>${'.'.repeat(99)}`,
  ],
  [
    'a run, folded within',
    [`${'ab'.repeat(20)}c`],
    `${'ab'.repeat(30)}\n  ${'ab'.repeat(3)}c${'.'.repeat(99)}`,
    `${'ab'.repeat(13)}<A>${'.'.repeat(99)}`,
  ],
  ['alternating', ['abababab'], `x${'ab'.repeat(20)}a`, 'x<A>a'],
  ['replacement patterns', ['$&$1$$$`'], 'a$&$1$$$`b', 'a<A>b'],
  ['replacement patterns around it', ['hunter2-secret'], '$&hunter2-secret$1$$', '$&<A>$1$$'],
  ['a regular expression', ['.*[a-z]+(x|y)'], 'abc .*[a-z]+(x|y) xyz', 'abc <A> xyz'],
  ['backslashes', ['a\\b\\\\c\\d'], 'a\\b\\\\c\\d a\\\\b', '<A> a\\\\b'],
  ['a marker in the output', ['hunter2-secret'], '[capwrap:S] hunter2-secret', '[capwrap:S] <A>'],
  ['the beginning of a marker', ['hunter2-secret'], '[capwrap:hunter2-secret]', '[capwrap:<A>]'],
  ['a marker as the secret', ['[capwrap:A]'], 'x [capwrap:A] y', 'x <A> y'],
  ['a secret in the marker', ['[capwrap'], '[capwrap', '<A>'],
  ['removal that makes another', ['hunter2-secret'], 'hunterhunter2-secret2-secret', 'hunter<A>2-secret'],
  ['a line end in it', ['first line\nsecond one'], '>first line\nsecond one<', '><A><'],
  ['one line of it', ['first line\nsecond one'], '>second one\n', '><A>\n'],
  ['only line ends around it', ['\n\nhunter2-secret\n'], '\nhunter2-secret\n', '\n<A>\n'],
  [
    'a very long line',
    ['hunter2-secret'],
    `${'x'.repeat(3000)}hunter2-secret${'y'.repeat(3000)}`,
    `${'x'.repeat(3000)}<A>${'y'.repeat(3000)}`,
  ],
  ['a wrapped long value', [KEY], `a ${KEY.slice(0, 3)}\r\n${KEY.slice(3)} b`, 'a <A> b'],
  [
    'a wrapped long value, wrapped again',
    [KEY],
    `${KEY.slice(0, 1)}\n${KEY.slice(1, 38)}\n${KEY.slice(38)}`,
    '<A>',
  ],
  [
    'lines that are too short',
    [KEY],
    `${KEY.slice(0, 9)}\n${KEY.slice(9, 20)}\n${KEY.slice(20)}`,
    `${KEY.slice(0, 9)}\n${KEY.slice(9, 20)}\n${KEY.slice(20)}`,
  ],
  ['blanks are no fold', [KEY], `${KEY.slice(0, 9)} ${KEY.slice(9)}`, `${KEY.slice(0, 9)} ${KEY.slice(9)}`],
  ['a fold of 32 bytes', [KEY], `${KEY.slice(0, 9)}${'\n'.padEnd(32)}${KEY.slice(9)}`, '<A>'],
  [
    'a fold of 33 bytes',
    [KEY],
    `${KEY.slice(0, 9)}${'\n'.padEnd(33)}${KEY.slice(9)}`,
    `${KEY.slice(0, 9)}${'\n'.padEnd(33)}${KEY.slice(9)}`,
  ],
  ['an escape that may be a part of it', [`n${KEY}`, `nn${KEY}`], `n\\n${KEY} n\\nn${KEY}`, '<A> <B>'],
  [
    'a first byte that seems to be an escape, and a fold behind it',
    [`n${KEY}`],
    `C:\\n\n${KEY} "\\n\\n\\n${KEY}" \\n${'\n'.padEnd(32)}${KEY}${'.'.repeat(99)}`,
    `C:\\<A> "\\<A>" \\<A>${'.'.repeat(99)}`,
  ],
  ['a beginning and a line end', [KEY], `${KEY.slice(0, 9)}\n\n\nother`, `${KEY.slice(0, 9)}\n\n\nother`],
];

function needlesOf(values: readonly string[]): readonly Needle[] {
  const secrets = new SecretRegistry();
  for (const [index, value] of values.entries()) secrets.register('ABC'[index] as string, value);
  return secrets.needles();
}

function inPieces(
  text: Buffer,
  sizes: readonly number[],
  needles: readonly Needle[],
  matcher = createMatcher(needles),
  pauses = false,
) {
  const redactor = createRedactor(needles, matcher);
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    out.push(Buffer.from(redactor.push(Uint8Array.prototype.slice.call(text, at, at + size))));
    if (pauses) out.push(redactor.release());
    at += size;
  }
  out.push(redactor.flush());
  return Buffer.concat(out);
}

/** Checks `text` in one piece, cut in two at every byte, in small pieces, and with a pause after each. */
function expectMasked(text: Buffer, needles: readonly Needle[], expected: string): void {
  const matcher = createMatcher(needles);
  const masked = (sizes: readonly number[]) => inPieces(text, sizes, needles, matcher).toString('latin1');
  const step = text.length > 1000 ? 97 : 1;
  const ways = [[text.length], [1], [2, 1], [3], [5, 1, 7]];
  for (let cut = 1; cut < text.length; cut += step) ways.push([cut, text.length]);
  // An assertion takes longer than the search itself.
  const wrong = ways.find((sizes) => masked(sizes) !== expected);
  if (wrong) expect(masked(wrong), `in pieces of ${wrong.join()}`).toBe(expected);
  if (text.includes('[capwrap:')) return;
  for (const sizes of [[1], [2, 1], [4]]) {
    const shown = shownBefore(inPieces(text, sizes, needles, matcher, true), text, needles);
    expect(shown).not.toBeNull();
    expect(Math.max(0, ...(shown ?? []))).toBeLessThan(4);
  }
}

describe.each(Object.entries(SECRETS))('%s', (_name, value) => {
  const needles = needlesOf([value]);
  describe.each(Object.entries(WRITERS))('written as %s', (writer, write) => {
    it.each(SURROUNDINGS)('%s', (_title, before, behind) => {
      const text = Buffer.concat([
        Buffer.from(before, 'latin1'),
        Buffer.from(write(value)),
        Buffer.from(behind, 'latin1'),
      ]);
      const { out, hits } = maskNaively(text, needles);
      expect(hits).toBe(1);
      // Base64 keeps what it encodes together with the value, and the bits that they share.
      if (!/base64/.test(writer)) {
        expect(out.toString('latin1').replace(/\s/g, '')).toBe(
          `${before}[capwrap:A]${behind}`.replace(/\s/g, ''),
        );
      }
      expectMasked(text, needles, out.toString('latin1'));
    });
  });
});

describe('tricks', () => {
  it.each(TRICKS)('%s', (_title, values, output, expected) => {
    const text = Buffer.from(output, 'latin1');
    expectMasked(text, needlesOf(values), expected.replace(/<([ABC])>/g, '[capwrap:$1]'));
  });
});

describe('work', () => {
  /** Bytes compared while `text` passes in chunks of 4096 bytes. */
  function workFor(text: Buffer, needles: readonly Needle[]): number {
    const matcher = createMatcher(needles);
    const redactor = createRedactor(needles, matcher);
    for (let at = 0; at < text.length; at += 4096) redactor.push(text.subarray(at, at + 4096));
    redactor.flush();
    return matcher.compared;
  }

  const long = (text: string) => [{ bytes: Buffer.from(text), name: 'LONG', folds: true }];
  const HOSTILE: readonly [string, readonly Needle[], string][] = [
    ['the first byte of a secret', needlesOf([KEY]), 'w'],
    ['a run that nearly is the secret', long(`${'a'.repeat(2000)}b`), 'a'],
    ['two such secrets', [...long(`${'a'.repeat(2000)}b`), ...long(`${'a'.repeat(999)}c`)], 'a'],
    ['the same, folded', long(`${'a'.repeat(2000)}b`), `${'a'.repeat(64)}\n`],
    ['the same, folded and indented', long(`${'a'.repeat(2000)}b`), `${'a'.repeat(40)}\r\n        `],
    ['a period of the secret', long(`${'ab'.repeat(1000)}c`), 'ab'],
    ['a period of the secret, folded', long(`${'aab'.repeat(700)}c`), `${'aab'.repeat(20)}\n`],
    ['the secret but for its last byte', needlesOf([KEY]), KEY.slice(0, -1)],
    ['the secret itself', needlesOf([KEY]), KEY],
    ['a run that is the secret', long('a'.repeat(2000)), 'a'],
    ['base64 of a run', needlesOf(['a'.repeat(900)]), `${fold(base64('a'.repeat(899)), 64, '\n')}\n`],
  ];

  it.each(HOSTILE)('stays linear on %s', (_title, needles, unit) => {
    const text = Buffer.alloc(400_000, unit);
    const half = workFor(text.subarray(0, 200_000), needles);
    const whole = workFor(text, needles);
    // Held bytes are looked at again with the next chunk: at most 2000 of them with 4096.
    expect(whole).toBeLessThan(2.2 * half + 10_000);
    expect(whole).toBeLessThan(20 * text.length);
  });
});
