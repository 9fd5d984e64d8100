import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Binding } from '../../src/approval/binding.ts';
import type { ApprovalRequest } from '../../src/approval/request.ts';
import { showRequest } from '../../src/approval/show.ts';
import { fold } from '../../src/approval/show-layout.ts';
import { anyText, BINDING, PROMPT, REQUEST, withBinding } from './samples.ts';

/** What must not reach a terminal: it moves the cursor, turns text around, or can't be seen. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Columns of a terminal; of a character that isn't ASCII as many as it can take. */
const columns = (line: string) => [...line].reduce((sum, char) => sum + (char <= '~' ? 1 : 2), 0);
const LABELLED = /^ {2}(\S(?:.{0,12}\S)?) +/;
const previous = (request = REQUEST) => ({ request, usedAt: '2026-01-04T10:00:00.000Z' });
const labels = (lines: readonly string[]) => lines.flatMap((line) => LABELLED.exec(line)?.[1] ?? []);

/** A request in which every text is somebody else's. */
const hostile: fc.Arbitrary<ApprovalRequest> = fc
  .record({
    texts: fc.array(anyText, { minLength: 18, maxLength: 18 }),
    command: fc.array(anyText, { maxLength: 4 }),
    long: fc.boolean(),
  })
  .map(({ texts, command, long }) => {
    const text = (at: number) => (long ? (texts[at] ?? '').repeat(60) : (texts[at] ?? ''));
    const sources = Object.fromEntries(
      ['repo', 'branch', 'commit', 'environment', 'actor'].map((name) => [name, text(15)]),
    );
    return {
      ...REQUEST,
      host: text(0),
      demand: { ...REQUEST.demand, approvers: [text(16)], command: [text(17)] },
      binding: {
        ...BINDING,
        capability: text(1),
        command,
        cwd: text(2),
        files: [
          { path: text(3), sha256: null, bytes: 1, modified: '2026-01-04T10:00:00.000Z' },
          { path: text(3), sha256: 'f'.repeat(64), bytes: 1, modified: null },
        ],
        repo: text(4),
        branch: text(5),
        commit: text(6),
        environment: text(7),
        actor: text(8),
        sources,
        user: text(9),
        task_id: text(10),
        justification: text(11),
        provider: text(12),
        target: text(13),
        scope: [text(14)],
        rule: text(14),
        map_path: text(13),
      },
    };
  });

describe('whatever the fields hold', () => {
  const plain = labels(showRequest(REQUEST, null));

  test('no character hides or forges anything, and no line is wrapped or passes for another field', () => {
    fc.assert(
      fc.property(hostile, fc.option(hostile), (request, before) => {
        const lines = showRequest(request, before && previous(before));
        expect(lines.filter((line) => UNSAFE.test(line))).toEqual([]);
        expect(lines.filter((line) => line.startsWith('  ') && columns(line) > 80)).toEqual([]);
        const end = lines.indexOf('');
        expect(labels(lines.slice(0, end))).toEqual([
          ...plain.slice(0, plain.indexOf('file')),
          'file',
          ...plain.slice(plain.indexOf('file')),
        ]);
      }),
      { numRuns: 60 },
    );
  });

  test('a word is told from two', () => {
    const shown = (...command: readonly string[]) => showRequest(withBinding({ command }), null).join('\n');
    expect(shown('rm', 'a b')).not.toBe(shown('rm', 'a', 'b'));
    expect(shown('rm', 'a" "b')).not.toBe(shown('rm', 'a', 'b'));
    expect(shown('rm', '')).not.toBe(shown('rm'));
  });
});

describe('long text', () => {
  test('is folded, and all of it is there', () => {
    const text = Array.from({ length: 40 }, (_, n) => `part-${n} `).join('');
    const lines = fold(text);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('')).toBe(text);
    expect(fold('')).toEqual(['']);
  });

  test.each([
    ['ASCII', 'x', 5000],
    ['of wide characters', '漢', 5000],
    ['beyond the basic plane', '🚀', 5000],
  ])('that is too long says how much is left out: %s', (_what, char, length) => {
    const lines = fold(`begin${char.repeat(length)}end`);
    expect(lines.length).toBeLessThanOrEqual(18);
    const at = lines.findIndex((line) => line.startsWith('[... '));
    expect(lines[at + 1]).toBe('"capwrap approvals --json" shows all ...]');
    const [, hidden, all] = /^\[\.\.\. (\d+) of (\d+) characters are left out;$/.exec(lines[at] ?? '') ?? [];
    const left = [...lines.slice(0, at), ...lines.slice(at + 2)].join('');
    expect(Number(all)).toBe(length + 8);
    expect(Number(hidden)).toBe(length + 8 - [...left].length);
    expect(left).toMatch(/^begin.*end$/u);
  });

  test('ends with its end: what a command line hides behind much else shows', () => {
    const command = ['./deploy.sh', 'x'.repeat(10_000), '--and-delete-all'];
    expect(showRequest(withBinding({ command }), null).join('\n')).toContain('"--and-delete-all"');
  });
});

describe('what is different from the last time', () => {
  const shown = (change: Partial<Binding>) => {
    const lines = showRequest(withBinding(change), previous());
    return lines.slice(lines.indexOf('') + 1);
  };
  const SINCE = `the run that was approved as ${REQUEST.id} (2026-01-04T10:00:00.000Z)`;

  test('is nothing to compare with, or nothing at all', () => {
    expect(showRequest(REQUEST, null).at(-1)).toBe('No run of this capability was approved here before.');
    expect(shown({})).toEqual([`The same as ${SINCE}.`]);
  });

  const scope = [...BINDING.scope, 's3:DeleteObject on *'];
  const cases: readonly [string, Partial<Binding>, string, boolean][] = [
    ['more scope', { scope }, 'scope', true],
    ['other scope', { scope: ['s3:* on *'] }, 'scope', true],
    ['less scope', { scope: [] }, 'scope', false],
    ['a longer life', { ttl_seconds: 901 }, 'ttl', true],
    ['a shorter life', { ttl_seconds: 899 }, 'ttl', false],
    ['another role', { target: 'arn:aws:iam::123456789012:role/admin' }, 'target', true],
    ['another provider', { provider: 'local-issuer' }, 'provider', true],
    ['another environment', { environment: 'production' }, 'environment', true],
    ['another branch', { branch: 'feature' }, 'branch', false],
    ['another command', { command: ['./other.sh'] }, 'command', false],
    ['another file', { files: [] }, 'files', false],
    ['a changed tree', { commit_clean: 'false' }, 'clean', false],
    ['another map', { map_sha256: 'e'.repeat(64) }, 'map sha256', false],
    ['other sources', { sources: {} }, 'known how', false],
    ['nothing known', { repo: null }, 'repo', false],
  ];
  test.each(cases)('%s: is named, and marked where it is wider', (_what, change, label, wider) => {
    const [head, ...lines] = shown(change);
    expect(head).toBe(`Different from ${SINCE}:`);
    expect(lines[0]).toMatch(new RegExp(`^  ${label.padEnd(14)}was `));
    const is = lines.find((line) => /^ {2}(?:WIDER {9}| {14})is {2}/.test(line)) ?? '';
    expect(is.includes('WIDER'), is).toBe(wider);
    expect(labels(lines)).toEqual(wider ? [label, 'WIDER'] : [label]);
  });
});

test('what is not known is said, and what the rule asks for', () => {
  const binding = {
    ...BINDING,
    repo: null,
    branch: null,
    commit: null,
    commit_clean: null,
    environment: null,
    actor: null,
    justification: null,
  };
  const text = showRequest({ ...REQUEST, demand: PROMPT, binding }, null).join('\n');
  for (const line of [
    /^ {2}repo +unknown$/m,
    /^ {2}commit +unknown, not known whether clean$/m,
    /^ {2}environment +unknown$/m,
    /^ {2}actor +unknown$/m,
    /^ {2}justification none given$/m,
    /^ {2}needs +grade=terminal self_approval=allow uses=1 for=1h$/m,
  ])
    expect(text).toMatch(line);
});
