/** Covering and disjointness are claims about every value; random values try to refute them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandPattern } from '../../src/policy/capability.ts';
import { areCommandsDisjoint, coversCommand } from '../../src/policy/diff/command-covers.ts';
import {
  areDisjoint,
  covers,
  coversAction,
  coversExactly,
  coversResource,
} from '../../src/policy/diff/pattern-covers.ts';
import { matchCommand } from '../../src/policy/match-command.ts';
import { compilePattern, matchWhole } from '../../src/policy/pattern.ts';
import type { ResolvedCommand } from '../../src/request/run-request.ts';

/** A policy variable of IAM. */
const VARIABLE = '$' + '{aws:username}';

const pattern = fc
  .array(fc.constantFrom('a', 'b', '/', '*', '**', 'e\u0301'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('').replace(/\*{3,}/g, '**'));
const value = fc
  .array(fc.constantFrom('a', 'b', 'c', '/', '\u00e9'), { maxLength: 7 })
  .map((it) => it.join(''));
const values = fc.array(value, { minLength: 1, maxLength: 20 });

function matches(text: string, against: string): boolean {
  const compiled = compilePattern(text);
  if (!compiled.ok) throw new Error(compiled.reason);
  return compiled.matches(against);
}

describe('covers', () => {
  it.each([
    ['**', 'a/b', true],
    ['*', 'a/b', false],
    ['*', '**', false],
    ['**', '*', true],
    ['feat/*', 'feat/x', true],
    ['feat/*', 'feat/x*', true],
    ['feat/*', 'feat/**', false],
    ['feat/**', 'feat/*/b*', true],
    ['a*', 'a', true],
    ['*a*', '*ba*', true],
    ['*ba*', '*a*', false],
    ['*/*', '*', false],
    ['**a', '*a', true],
    ['a**', 'a*', true],
    ['a*b', 'a*cb', true],
    ['caf\u00e9', 'cafe\u0301', true],
  ])('%j covers %j: %j', (broader, narrower, expected) => {
    expect(covers(broader, narrower)).toBe(expected);
  });

  it('never says so of a pattern that matches something else', () => {
    let claimed = 0;
    fc.assert(
      fc.property(pattern, pattern, values, (broader, narrower, list) => {
        if (!covers(broader, narrower)) return;
        claimed += 1;
        for (const each of list) if (matches(narrower, each)) expect(matches(broader, each)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(claimed).toBeGreaterThan(50);
  });

  it('says so wherever no value of a few characters speaks against it', () => {
    const all = ['', ...texts(['a', '/', 'c'], 4)];
    const small = fc.array(fc.constantFrom('a', '/', '*', '**'), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(small, small, (one, other) => {
        const [broader, narrower] = [one, other].map((it) => it.join('').replace(/\*{3,}/g, '**'));
        const refuted = all.some((each) => matches(narrower ?? '', each) && !matches(broader ?? '', each));
        expect(covers(broader ?? '', narrower ?? '')).toBe(!refuted);
      }),
      { numRuns: 500 },
    );
  });

  it('gives up where the answer would take long', () => {
    const start = performance.now();
    expect(covers('a*'.repeat(400), 'a*b'.repeat(300))).toBe(false);
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('leaves file paths as they are', () => {
    expect(coversExactly('caf\u00e9', 'cafe\u0301')).toBe(false);
    expect(matchWhole('caf\u00e9', 'cafe\u0301')).toBe(false);
  });
});

describe('areDisjoint', () => {
  it('never says so of patterns that one value matches', () => {
    let claimed = 0;
    fc.assert(
      fc.property(pattern, pattern, values, (one, other, list) => {
        if (!areDisjoint(one, other)) return;
        claimed += 1;
        for (const each of list) expect(matches(one, each) && matches(other, each)).toBe(false);
      }),
      { numRuns: 2000 },
    );
    expect(claimed).toBeGreaterThan(50);
  });

  it.each([
    ['main', 'feat/*', true],
    ['main', 'm*', false],
    ['a/*', '*/b', false],
    ['a*', 'b**', true],
  ])('%j and %j: %j', (one, other, expected) => {
    expect(areDisjoint(one, other)).toBe(expected);
  });
});

describe('coversAction and coversResource', () => {
  it.each([
    ['s3:*', 's3:GetObject', true],
    ['S3:get*', 's3:GetObject', true],
    ['s3:Get*', 's3:*', false],
    ['s3:Get?', 's3:Get', false],
    ['*', 'iam:PassRole', true],
    ['s3:G?t*', 's3:GetObject', true],
  ])('action %j covers %j: %j', (broader, narrower, expected) => {
    expect(coversAction(broader, narrower)).toBe(expected);
  });

  it.each([
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/x/y', true],
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::B/x', false],
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/x:y', true],
    ['arn:aws:s3:*:*:b', 'arn:aws:s3:::b', true],
    ['arn:aws:s3:*b', 'arn:aws:s3:::b', false], // a * that may or may not cross a colon
    ['*', 'arn:aws:s3:::b', true],
    ['arn:aws:s3:::b/*', `arn:aws:s3:::b/${VARIABLE}`, false],
    [`arn:aws:s3:::${VARIABLE}*`, `arn:aws:s3:::${VARIABLE}x`, false],
    [`arn:aws:s3:::${VARIABLE}`, `arn:aws:s3:::${VARIABLE}`, true],
    ['arn:aws:s3:::b/?', 'arn:aws:s3:::b/*', false],
  ])('resource %j covers %j: %j', (broader, narrower, expected) => {
    expect(coversResource(broader, narrower)).toBe(expected);
  });

  it('never says so of a resource that names something else', () => {
    const piece = fc.constantFrom('a', 'b', ':', '*', '?');
    const iam = fc.array(piece, { minLength: 1, maxLength: 6 }).map((it) => it.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', ':', 'c'), { maxLength: 6 }).map((it) => it.join(''));
    const named = (resource: string, each: string) =>
      new RegExp(`^${resource.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(each);
    fc.assert(
      fc.property(iam, iam, fc.array(text, { maxLength: 20 }), (broader, narrower, list) => {
        if (!coversResource(broader, narrower)) return;
        for (const each of list) if (named(narrower, each)) expect(named(broader, each)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('coversCommand', () => {
  const program = fc.constantFrom('x', 'y*', '*', '/r/x', '/r/*', '/**', '/r/**/x', '/bin/sh');
  const word = fc.constantFrom('a', 'a*', '*', '**', 'b/c');
  const command: fc.Arbitrary<CommandPattern> = fc.oneof(
    program.map((text): CommandPattern => ({ kind: 'program', program: text })),
    fc
      .tuple(program, fc.array(word, { maxLength: 2 }))
      .map(([text, words]): CommandPattern => ({ kind: 'prefix', argv: [text, ...words] })),
    fc
      .tuple(fc.constantFrom('/r/x', '/bin/sh'), fc.constantFrom('1', '2'))
      .map(([path, digit]): CommandPattern => ({ kind: 'pinned', path, sha256: digit.repeat(64) })),
  );
  const resolved: fc.Arbitrary<ResolvedCommand> = fc
    .record({
      argv: fc
        .tuple(
          fc.constantFrom('x', 'yy', './x', '/bin/sh', '/r/x', 'x\n', '../r/x'),
          fc.array(fc.constantFrom('a', 'ab', 'b/c', 'a\n'), { maxLength: 3 }),
        )
        .map(([first, rest]) => [first, ...rest]),
      cwd: fc.constantFrom('/r', '/bin'),
      path: fc.constantFrom(null, '/r/x', '/r/s/x', '/usr/bin/sh', '/r/x\n'),
      sha256: fc.constantFrom(null, '1'.repeat(64), '2'.repeat(64)),
    })
    .map((it) => ({ ...it, fault: null }));

  it('never says so of a command that is matched, or in doubt, and not by the broader one', () => {
    let claimed = 0;
    fc.assert(
      fc.property(command, command, fc.array(resolved, { maxLength: 15 }), (broader, narrower, list) => {
        if (!coversCommand(broader, narrower)) return;
        claimed += 1;
        for (const each of [null, ...list]) {
          const inner = matchCommand(narrower, each).matched;
          const outer = matchCommand(broader, each).matched;
          if (inner === true) expect(outer).toBe(true);
          if (inner !== false) expect(outer).not.toBe(false);
        }
      }),
      { numRuns: 3000 },
    );
    expect(claimed).toBeGreaterThan(100);
  });

  it('calls none apart that one command matches', () => {
    fc.assert(
      fc.property(command, command, fc.array(resolved, { maxLength: 15 }), (one, other, list) => {
        if (!areCommandsDisjoint(one, other)) return;
        for (const each of list) {
          if (matchCommand(one, each).matched === true) {
            expect(matchCommand(other, each).matched).not.toBe(true);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function texts(alphabet: readonly string[], length: number): string[] {
  if (length === 0) return [];
  const shorter = ['', ...texts(alphabet, length - 1)];
  return [...new Set(shorter.flatMap((text) => alphabet.map((char) => char + text)))];
}
