/** What holds for the descriptor of every provider and source, and how configs are compared field by field. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ISOLATION_NAMES } from '../../src/policy/isolation-names.ts';
import { compareFields, type FieldComparisons } from '../../src/policy/providers/compare-fields.ts';
import { PROVIDERS, providerNamed } from '../../src/policy/providers/index.ts';
import { SOURCES, type SourceType, sourceLabel, sourceOf } from '../../src/policy/sources/index.ts';

describe.each(PROVIDERS.map((policy) => [policy.name, policy] as const))('%s', (name, policy) => {
  it('is found by its name, which its fields say too', () => {
    expect(providerNamed(name)).toBe(policy);
    expect(Object.keys(policy.fields)[0]).toBe('provider');
    expect(v.is(policy.fields.provider, name)).toBe(true);
    expect(v.is(policy.fields.provider, 'another')).toBe(false);
  });

  it('leaves inject and files to the schema of all', () => {
    expect(Object.keys(policy.fields)).not.toContain('inject');
    expect(Object.keys(policy.fields)).not.toContain('files');
    for (const key of policy.freeMappings ?? []) expect(Object.keys(policy.fields)).toContain(key);
  });

  it('fills only values of its lease by default, under names that are free', () => {
    const inject = policy.defaultInject({});
    for (const [variable, value] of Object.entries(inject)) {
      if (policy.leaseValues !== null) expect(policy.leaseValues).toContain(value);
      expect(ISOLATION_NAMES).not.toContain(variable);
    }
  });

  it('gives examples by the key that they begin with', () => {
    for (const [key, line] of Object.entries(policy.examples ?? {})) expect(line).toMatch(`${key}: `);
  });

  it('takes sources that there are, each once', () => {
    const types = SOURCES.map(({ type }) => type);
    expect(types.filter((type) => policy.sources.some((it) => it === type))).toHaveLength(
      policy.sources.length,
    );
  });
});

describe('sources', () => {
  it('accepts the named types and no other', () => {
    const schema = sourceOf(['github-actions', 'env']);
    const accepted = SOURCES.map(({ type }) => type).filter((type) => v.is(schema, { type }));
    expect(accepted).toEqual(['env', 'github-actions'] satisfies SourceType[]);
  });

  it('has a type of its own in each, and a label that begins with it', () => {
    expect(new Set(SOURCES.map(({ type }) => type)).size).toBe(SOURCES.length);
    expect(sourceLabel({ type: 'token-file', path: '/run/t', audience: null })).toBe('token-file:/run/t');
    expect(sourceLabel({ type: 'env', longLived: false })).toBe('env');
  });
});

describe('compareFields', () => {
  interface Config {
    readonly provider: 'x';
    readonly roleArn: string;
    readonly note: string | null;
    readonly auth: { readonly method: string; readonly path?: string };
    readonly size: number;
  }
  const fields: FieldComparisons<Config> = {
    roleArn: 'widening',
    note: 'neutral',
    auth: 'widening',
    size: (before, after, at) =>
      before === after
        ? []
        : [
            {
              kind: after > before ? 'widening' : 'narrowing',
              at,
              code: 'own',
              message: '',
              before: `${before}`,
              after: `${after}`,
            },
          ],
  };
  const base: Config = { provider: 'x', roleArn: 'r', note: null, auth: { method: 'a', path: 'p' }, size: 1 };

  it.each<[string, Partial<Config>, [string, string, string, string | null, string | null][]]>([
    ['nothing', {}, []],
    ['equal values with keys in another order', { auth: { path: 'p', method: 'a' } }, []],
    ['a text', { roleArn: 's' }, [['widening', 'c.role_arn', 'role_arn', 'r', 's']]],
    ['a neutral field', { note: 'n' }, [['neutral', 'c.note', 'note', null, 'n']]],
    [
      'a mapping',
      { auth: { method: 'b' } },
      [['widening', 'c.auth', 'auth', '{"method":"a","path":"p"}', '{"method":"b"}']],
    ],
    ['a field with a comparison of its own', { size: 0 }, [['narrowing', 'c.size', 'own', '1', '0']]],
  ])('%s', (_, change, expected) => {
    const changes = compareFields(fields, base, { ...base, ...change }, 'c');
    expect(changes.map(({ kind, at, code, before, after }) => [kind, at, code, before, after])).toEqual(
      expected,
    );
  });

  it('tells in the order of the comparisons', () => {
    const other: Config = { provider: 'x', roleArn: 's', note: 'n', auth: { method: 'b' }, size: 2 };
    expect(compareFields(fields, base, other, 'c').map(({ at }) => at)).toEqual([
      'c.role_arn',
      'c.note',
      'c.auth',
      'c.size',
    ]);
  });
});
