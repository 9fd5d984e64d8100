/** Every failure of the catalogue against every provider; and proof that the catalogue finds a provider's defects. */
import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/broker/provider.ts';
import { CapwrapError } from '../../src/errors.ts';
import { reasonWithout, rowsOf } from '../issuers/catalogue.ts';
import { fakeFixture } from '../issuers/fake/fixture.ts';
import { FIXTURES } from '../issuers/fixtures.ts';
import { walk } from '../issuers/walk.ts';

describe.each(FIXTURES)('$name', (fixture) => {
  const rows = rowsOf(fixture);
  const possible = rows.filter((row) => reasonWithout(fixture, row) === null);
  test.each(possible)('$name', (row) => walk(fixture, row));

  test('each reason belongs to a row, and says something', () => {
    for (const [start, reason] of Object.entries(fixture.without)) {
      expect(
        rows.some(({ name }) => name.startsWith(start)),
        start,
      ).toBe(true);
      expect(reason.length).toBeGreaterThan(10);
    }
  });
});

/** A defect of a provider, and a row that has to find it. */
const DEFECTS: readonly { defect: string; row: string; change: (sound: Provider) => Provider }[] = [
  {
    defect: 'a lease that is not checked',
    row: 'issue: wider_than_asked',
    change: ({ faultOf: _, ...rest }) => rest,
  },
  {
    defect: 'a credential that is refused by throwing, and lives on',
    row: 'issue: wrong_principal',
    change: (sound) => ({
      ...sound,
      async issue(request, context) {
        await sound.issue(request, context);
        throw new CapwrapError('ERR_PROVIDER_WRONG_PRINCIPAL', '"fake" issued for another');
      },
    }),
  },
  {
    defect: 'a token in a message',
    row: 'issue: value_with_newline',
    change: (sound) => ({
      ...sound,
      async issue(request, context) {
        const lease = await sound.issue(request, context);
        const { value = '' } = lease.values['token'] ?? {};
        await sound.end?.(lease, context);
        throw new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', `"fake" issued ${value.trim()}`);
      },
    }),
  },
  {
    defect: 'a token in the cause of an error',
    row: 'issue: value_with_newline',
    change: (sound) => ({
      ...sound,
      async issue(request, context) {
        const lease = await sound.issue(request, context);
        await sound.end?.(lease, context);
        const cause = new Error(lease.values['token']?.value.trim());
        throw new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', '"fake" issued nonsense', { cause });
      },
    }),
  },
  {
    defect: 'a request repeated that may have had its effect',
    row: 'issue: reset_after_effect at token',
    change: (sound) => ({
      ...sound,
      issue: (request, context) => sound.issue(request, context).catch(() => sound.issue(request, context)),
    }),
  },
  {
    defect: 'silence about a credential that may exist unseen',
    row: 'issue: truncated at token',
    change: (sound) => ({
      ...sound,
      issue: (request, context) =>
        sound.issue(request, context).catch((error: CapwrapError) => {
          throw new CapwrapError(error.code, 'cut off');
        }),
    }),
  },
  {
    defect: 'an end that is only said',
    row: 'end: on a good day',
    change: (sound) => ({
      ...sound,
      end: async () => ({ kind: 'ended', did: 'nothing' }),
      probe: async () => ({ state: 'revoked', saw: 'nothing' }),
    }),
  },
  {
    defect: 'a probe that takes any failure for death',
    row: 'probe: server_error at whoami after an end without effect',
    change: (sound) => ({
      ...sound,
      probe: async (lease, context) => {
        const answer = await sound.probe?.(lease, context);
        return answer?.state === 'alive' ? answer : { state: 'dead', saw: 'no 200' };
      },
    }),
  },
  {
    defect: 'a failed end that is called an end',
    row: 'end: revoke_fails',
    change: (sound) => ({
      ...sound,
      end: async (lease, context) => {
        await sound.end?.(lease, context);
        return { kind: 'ended', did: 'asked' };
      },
    }),
  },
  {
    defect: 'a wait without end',
    row: 'issue: hang at token',
    change: (sound) => ({
      ...sound,
      issue: (request, context) =>
        sound.issue(request, context).catch(async (error) => {
          await new Promise((resolve) => setTimeout(resolve, 31_000));
          throw error;
        }),
    }),
  },
  {
    defect: 'an error that says nothing of capwrap',
    row: 'issue: html at token',
    change: (sound) => ({
      ...sound,
      issue: (request, context) =>
        sound.issue(request, context).catch(() => {
          throw new SyntaxError('Unexpected token <');
        }),
    }),
  },
];

test.each(DEFECTS)('the catalogue finds $defect', async ({ row: name, change }) => {
  const fixture = fakeFixture(change);
  const row = rowsOf(fixture).find((one) => one.name === name);
  if (row === undefined) throw new Error(`no row "${name}"`);
  await expect(walk(fixture, row)).rejects.toThrow();
});
