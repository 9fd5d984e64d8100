/** Provider `oauth2` for reviewers and approvers: what a summary shows, how two maps differ, what check says. */
import { describe, expect, it } from 'vitest';
import { type Oauth2Config, oauth2 } from '../../src/policy/providers/oauth2.ts';
import { oauth2Config } from '../issuers/oauth2/fixture.ts';

const SOURCE = { type: 'token-env', variable: 'T', audience: 'https://id.example' } as const;
const FULL = oauth2Config({
  issuer: 'https://id.example',
  clientAuth: { type: 'private-key-jwt', keyFile: '/k.pem', keyId: 'k 1', audience: null },
  source: SOURCE,
  audience: ['artifacts', 'registry\n'],
  subject: 'job-1',
  tokenLife: 3600,
  probe: 'https://artifacts.example/whoami',
});

it('a summary shows every field that steers a grant, escaped', () => {
  const rows = oauth2.summaryRows(FULL).filter(([, text]) => text !== null);
  expect(rows).toEqual([
    ['issuer', 'https://id.example'],
    ['grant', 'token-exchange'],
    ['client', 'capwrap'],
    ['client auth', 'private-key-jwt key_file=/k.pem key_id="k 1"'],
    ['source', 'token-env variable=T audience=https://id.example'],
    ['subject type', 'jwt'],
    ['audience', 'artifacts, "registry\\\\u{a}"'],
    ['scope', 'artifacts:read'],
    ['subject', 'job-1'],
    ['token life', '1h'],
    ['probe', 'https://artifacts.example/whoami'],
  ]);
  expect(oauth2.target(FULL)).toBe('artifacts, registry\n (https://id.example)');
  expect(oauth2.reach(oauth2Config({ scope: null }))).toEqual(['whatever the server grants']);
});

describe('a change', () => {
  it.each<[string, Partial<Oauth2Config>, readonly string[]]>([
    ['of nothing', {}, []],
    ['of the issuer', { issuer: 'https://other.example' }, ['widening issuer']],
    ['of the key', { clientAuth: { type: 'none' } }, ['widening client_auth']],
    ['of the source', { source: { ...SOURCE, variable: 'U' } }, ['widening source']],
    ['to no source', { source: null }, ['widening source']],
    ['of who signs the source', { source: { ...SOURCE, issuer: 'https://ci.example' } }, ['widening source']],
    ['to more scope', { scope: ['artifacts:read', 'admin'] }, ['widening scope_added']],
    ['to other scope', { scope: ['admin'] }, ['widening scope_added', 'narrowing scope_removed']],
    ['to whatever the server grants', { scope: null }, ['widening scope']],
    ['of the probe, to which the token goes', { probe: 'https://other.example/' }, ['widening probe']],
    ['to a longer life', { tokenLife: 7200 }, ['widening token_life']],
    ['to a shorter life', { tokenLife: 60 }, ['narrowing token_life']],
    ['to no longer than the grant', { tokenLife: null }, ['narrowing token_life']],
  ])('%s', (_what, change, expected) => {
    const changes = oauth2.compare(FULL, { ...FULL, ...change }, 'c');
    expect(changes.map(({ kind, code }) => `${kind} ${code}`)).toEqual(expected);
  });

  it('from whatever the server grants to a list is narrower', () => {
    const changes = oauth2.compare({ ...FULL, scope: null }, FULL, 'c');
    expect(changes.map(({ kind }) => kind)).toEqual(['narrowing']);
  });
});

it('check lists a capability whose scope the server decides', () => {
  expect([...(oauth2.lint?.(FULL, 'x') ?? [])]).toEqual([]);
  expect([...(oauth2.lint?.({ ...FULL, scope: null }, 'x') ?? [])]).toMatchObject([
    { code: 'broad', at: 'capabilities.x.scope' },
  ]);
});
