/** What a file can't show: bytes, sizes, and inputs that nobody would write. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fault, MapInvalidError } from '../../src/policy/fault.ts';
import { analyseMap, parseMap } from '../../src/policy/parse.ts';
import { PROVIDERS } from '../../src/policy/providers/index.ts';

const origin = { path: '/repo/my map.yaml', dir: '/repo', sha256: 'f'.repeat(64) };
const VALID = `version: 1
capabilities:
  read:
    provider: local-issuer
    audience: a
    scope: [x]
    rules: [{allow: {repo: acme/x}}]
`;

function faultsOf(text: string | Uint8Array): readonly Fault[] {
  return analyseMap(typeof text === 'string' ? Buffer.from(text) : text, origin).faults;
}

function shown(text: string | Uint8Array): string[] {
  return faultsOf(text).map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
}

describe('text', () => {
  it.each([
    ['a byte order mark', `\ufeff${VALID}`],
    ['CRLF', VALID.replaceAll('\n', '\r\n')],
    ['no newline at the end', VALID.trimEnd()],
    ['a start marker', `---\n${VALID}`],
    ['an end marker', `${VALID}...\n`],
    ['%YAML 1.2', `%YAML 1.2\n---\n${VALID}`],
    ['emoji with joiners in a comment', `# 👩‍💻 ❤️\n${VALID}`],
    [
      'JSON',
      JSON.stringify({
        version: 1,
        capabilities: {
          x: { provider: 'local-issuer', audience: 'a', scope: ['b'], rules: [{ allow: {} }] },
        },
      }),
    ],
  ])('accepts %s', (_, text) => {
    expect(shown(text)).toEqual([]);
  });

  it.each([
    [
      'escape',
      `# \u001b[31m\n${VALID}`,
      ['1:3 hidden_character "U+001B" is a character that readers of the map can\'t see'],
    ],
    [
      'bidi override',
      VALID.replace('acme/x', '"acme/\u202ex"'),
      ['7:34 hidden_character "U+202E" is a character that readers of the map can\'t see'],
    ],
    [
      'zero-width blank',
      VALID.replace('repo', 're\u200bpo'),
      ['7:24 hidden_character "U+200B" is a character that readers of the map can\'t see'],
    ],
    [
      'NUL',
      `${VALID}\0`,
      ['8:1 hidden_character "U+0000" is a character that readers of the map can\'t see'],
    ],
    [
      'line separator',
      `# a\u2028version: 2\n${VALID}`,
      ['1:4 hidden_character "U+2028" is a character that readers of the map can\'t see'],
    ],
    [
      'tag character',
      `# \u{e0041}\n${VALID}`,
      ['1:3 hidden_character "U+E0041" is a character that readers of the map can\'t see'],
    ],
  ])('refuses a hidden character: %s', (_, text, expected) => {
    expect(shown(text)).toEqual(expected);
  });

  it('refuses bytes that are not UTF-8, with the line', () => {
    const bytes = Buffer.concat([Buffer.from(`${VALID}# caf`), Buffer.from([0xe9]), Buffer.from('\n')]);
    expect(shown(bytes)).toEqual(['8:1 not_utf8 "map" is not valid UTF-8']);
    expect(shown(Buffer.from(VALID, 'utf16le')).length).toBeGreaterThan(0);
  });

  it('refuses more than 1 MiB, and reads exactly as much', () => {
    const filled = (size: number) => `${VALID}#${'x'.repeat(size - VALID.length - 1)}`;
    expect(shown(filled(1024 * 1024))).toEqual([]);
    expect(shown(filled(1024 * 1024 + 1))).toEqual(['1:1 too_large "map" is larger than 1048576 bytes']);
  });

  it.each(['', '\n', '# only a comment\n', '---\n', 'null\n', '~'])('refuses %j as empty', (text) => {
    expect(shown(text)).toEqual([expect.stringContaining('empty_map "map" is empty')]);
  });
});

describe('MapInvalidError', () => {
  it('carries every fault, and a line for each in its message', () => {
    const text = VALID.replace('audience', 'audeince').replace('[x]', 'x');
    const error = catchError(() => parseMap(Buffer.from(text), origin));
    expect(error).toBeInstanceOf(MapInvalidError);
    expect(error).toMatchObject({
      code: 'ERR_MAP_INVALID',
      exitStatus: 121,
      message: [
        '"my map.yaml" has 3 faults',
        'my map.yaml:3:3: "audience" is missing in "read"',
        'my map.yaml:5:5: "audeince" is not a known key',
        'my map.yaml:6:12: "scope" must be a list',
      ].join('\n'),
      hint: "capwrap check '/repo/my map.yaml'",
    });
    expect((error as MapInvalidError).faults[1]).toEqual({
      code: 'unknown_key',
      message: '"audeince" is not a known key',
      line: 5,
      column: 5,
      text: 'audeince',
      fix: 'did you mean "audience"?',
      at: 'capabilities.read.audeince',
    });
  });

  it('shows the first of many', () => {
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}: 1`).join('\n');
    const error = catchError(() => parseMap(Buffer.from(`${VALID}${keys}\n`), origin)) as MapInvalidError;
    expect(error.faults).toHaveLength(30);
    expect(error.message.split('\n').at(-1)).toBe('and 10 more');
  });

  it('never quotes what looks like a secret', () => {
    const secrets = ['AKIAIOSFODNN7EXAMPLE', 'ghp_0123456789abcdefghijABCDEFGHIJ012345', 'plain-but-in-set'];
    const text = `${VALID.replace('audience: a', `audience: [${secrets[0]}]`)}    token: ${secrets[1]}
    env: {set: {A: ${secrets[0]}, B: [${secrets[2]}]}}
    home: ${secrets[1]}
`;
    const faults = faultsOf(text);
    expect(faults.length).toBeGreaterThan(3);
    for (const secret of secrets) expect(JSON.stringify(faults)).not.toContain(secret);
  });
});

describe('input that nobody would write', () => {
  const outcome = (bytes: Uint8Array) => {
    try {
      return parseMap(bytes, origin).capabilities.size > 0;
    } catch (error) {
      expect(error).toBeInstanceOf(MapInvalidError);
      expect((error as MapInvalidError).faults.length).toBeGreaterThan(0);
      return false;
    }
  };

  it('throws nothing but MapInvalidError for random bytes and text', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void outcome(bytes)));
    const yaml = fc.constantFrom(
      ...'[]{}:,-?&*!|>#%@`"\'\n\t ~',
      '- ',
      ': ',
      '\n  ',
      'a',
      '&a ',
      '*a',
      '!!str ',
      '<<',
      '1',
    );
    fc.assert(
      fc.property(fc.array(yaml, { maxLength: 40 }), (parts) => void outcome(Buffer.from(parts.join('')))),
      { numRuns: 250 },
    );
  });

  it('throws nothing but MapInvalidError for a valid map with one place replaced', () => {
    const lines = VALID.split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.json(), fc.nat(30), (index, json, column) => {
        const line = lines[index] ?? '';
        const text = lines.with(index, `${line.slice(0, column)}${json}${line.slice(column)}`).join('\n');
        outcome(Buffer.from(text));
      }),
      { numRuns: 250 },
    );
  });

  it('throws nothing but MapInvalidError for any JSON as a capability, defaults or map', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        outcome(Buffer.from(JSON.stringify(one)));
        outcome(Buffer.from(JSON.stringify({ version: 1, defaults: one, capabilities: { x: other } })));
        for (const { name: provider } of PROVIDERS) {
          const fields = {
            provider,
            scope: one,
            rules: other,
            env: one,
            tests: other,
            source: one,
            inject: other,
            files: one,
          };
          outcome(Buffer.from(JSON.stringify({ version: 1, capabilities: { x: fields } })));
        }
      }),
      { numRuns: 50 }, // times the providers
    );
  });

  it.each([
    ['nested lists', `x: ${'['.repeat(20_000)}`],
    ['nested mappings', '{a: '.repeat(10_000)],
    ['nested block lists', `${'- '.repeat(50_000)}a`],
    ['twenty thousand keys', Array.from({ length: 20_000 }, (_, index) => `key${index}: 1`).join('\n')],
    ['a thousand equal keys', 'a: 1\n'.repeat(1_000)],
    ['quotes', '"'.repeat(20_000)],
    ['bad escapes', `"${'\\q'.repeat(20_000)}"`],
    ['controls', '\u0001'.repeat(500_000)],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefg'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdef'[index]}`).join(',')}]`)
        .join('\n')}`,
    ],
  ])('refuses %s in bounded time', (_, text) => {
    // Of the processor: how long others keep it says nothing.
    const start = process.cpuUsage();
    const error = catchError(() => parseMap(Buffer.from(text), origin)) as MapInvalidError;
    expect(error).toBeInstanceOf(MapInvalidError);
    expect(error.faults.length).toBeGreaterThan(0);
    expect(error.faults.length).toBeLessThanOrEqual(500);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(10_000);
  });
});

function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
