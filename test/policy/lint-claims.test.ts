/** Rules that rely on what the caller says, and the table of what can be known. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BEST_SOURCE, isWeaker } from '../../src/policy/lint/claims.ts';
import { FACT_NAMES, type FactSource } from '../../src/request/facts.ts';
import { gatherFacts } from '../../src/request/gather-facts.ts';
import { tempDir } from '../helpers/cli.ts';
import { ambientOf } from './ambient.ts';
import { codesOf, codesOfAllow, findingsOf, good, local, sound } from './lint-from.ts';

const { sources } = sound;

describe('claims', () => {
  it.each([
    ['environment', { environment: 'preview' }, ['warning claimed_environment rules[0].allow.environment']],
    [
      'environment that is asked to be observed',
      { environment: 'preview', sources: { ...sources, environment: 'observed' } },
      ['warning source_never rules[0].allow.sources.environment'],
    ],
    ['actor', { actor: 'alice' }, ['warning claimed_actor rules[0].allow.actor']],
    ['actor that is observed', { actor: 'alice', sources: { ...sources, actor: 'observed' } }, []],
    ['ci', { ci: true }, ['warning claimed_ci rules[0].allow.ci']],
    [
      'ci that is asked to be observed',
      { ci: false, sources: { ...sources, ci: 'observed' } },
      ['warning claimed_ci rules[0].allow.ci', 'warning source_never rules[0].allow.sources.ci'],
    ],
    ['commit_clean', { commit_clean: true }, []],
    ['repo and branch', { sources: undefined }, ['note claimed_repo rules[0].allow.repo']],
    ['branch', { sources: { repo: 'observed' } }, ['note claimed_repo rules[0].allow.branch']],
    ['repo that is verified', { sources: { ...sources, repo: 'verified' } }, []],
    [
      'environment that is verified',
      { environment: 'x', sources: { ...sources, environment: 'verified' } },
      [],
    ],
    [
      'ci that no token tells',
      { ci: true, sources: { ...sources, ci: 'verified' } },
      ['warning claimed_ci rules[0].allow.ci', 'warning source_never rules[0].allow.sources.ci'],
    ],
  ])('%s', (_, conditions, expected) => {
    expect(codesOfAllow(conditions)).toEqual(expected);
  });

  it('are none where the capability fixes its environment', () => {
    const allow = { ...sound, environment: 'preview', sources: { ...sources, environment: 'observed' } };
    const capability = { ...local, environment: 'preview' };
    expect(codesOf({ ...capability, rules: [{ allow: { ...sound, environment: 'preview' } }] })).toEqual([]);
    expect(codesOf({ ...capability, rules: [{ allow }] })).toEqual([]);
  });

  it('of CI are told once for a capability', () => {
    const rules = [
      good,
      { allow: { repo: 'a/b', branch: 'dev', command: './y', sources: { branch: 'observed' } } },
      { allow: { repo: 'a/c', branch: 'main', command: './z' } },
    ];
    const findings = findingsOf({ ...local, rules });
    expect(findings.map(({ at, message }) => [at, message])).toEqual([
      [
        'capabilities.x.rules[1].allow.repo',
        `"x" takes repo and branch from variables of CI where git can't tell (rules[1], rules[2])`,
      ],
    ]);
  });
});

describe('deny rules', () => {
  it('can rely on claims, miss facts, and look away', () => {
    const deny = (conditions: object) => codesOf({ ...local, rules: [good, { deny: conditions }] });
    expect(deny({ actor: 'x' })).toEqual(['note deny_on_claim rules[1].deny.actor']);
    expect(deny({ environment: 'x' })).toEqual([
      'note deny_needs_fact rules[1]',
      'note deny_on_claim rules[1].deny.environment',
    ]);
    expect(deny({ branch: 'dev' })).toEqual([]);
    expect(deny({ commit_clean: false })).toEqual(['note deny_needs_fact rules[1]']);
    expect(deny({ repo: 'a/c', sources: { repo: 'observed' } })).toEqual([
      'warning deny_with_sources rules[1].deny.sources',
    ]);
  });
});

it('no fact is better known than the table says, and those in a work tree are known that well', async () => {
  const folder = tempDir();
  const git = join(folder, '.git');
  mkdirSync(join(git, 'refs', 'heads'), { recursive: true });
  mkdirSync(join(git, 'objects'));
  writeFileSync(join(git, 'HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(git, 'refs', 'heads', 'main'), `${'a'.repeat(40)}\n`);
  writeFileSync(join(git, 'config'), '[remote "origin"]\n\turl = https://git.example/a/b.git\n');
  const { facts } = await gatherFacts(ambientOf({ cwd: folder, env: { HOME: folder } }), {
    environment: 'preview',
    wantCommitClean: false,
  });
  const seen = Object.fromEntries(FACT_NAMES.map((name) => [name, facts[name].source]));
  for (const name of FACT_NAMES) {
    if (seen[name] !== 'unknown') expect(isWeaker(BEST_SOURCE[name], seen[name] as FactSource)).toBe(false);
  }
  expect(seen).toEqual({ ...BEST_SOURCE, commit_clean: 'unknown' });
});
