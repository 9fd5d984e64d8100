/** What docs/providers.md shows of provider `command` is what the provider takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HANDLE_NAMES } from '../../src/broker/provider.ts';
import { command } from '../../src/broker/providers/command/index.ts';
import { readLease } from '../../src/broker/providers/command/lease-document.ts';
import { brokerContext } from '../helpers/aws.ts';
import { ROOT } from '../helpers/cli.ts';
import { commandRequest, scriptConfig } from '../issuers/command/fixture.ts';

const SECTION =
  readFileSync(join(ROOT, 'docs', 'providers.md'), 'utf8')
    .split(/^## command$/m)[1]
    ?.split(/^## /m)[0] ?? '';

test('the leases in it are leases', () => {
  const blocks = [...SECTION.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => JSON.parse(json));
  expect(blocks).toHaveLength(3);
  for (const block of blocks) {
    const lease = readLease(block, brokerContext());
    expect(lease.fault).toBeNull();
    expect(lease.expiresAt.toISOString()).toBe('2026-01-01T00:15:00.000Z');
  }
});

test('the request in it has the keys of a request', () => {
  const [shown = ''] = /\{"capwrap_request"[\s\S]*?\}/.exec(SECTION) ?? [];
  const { request } = command.preview(commandRequest(scriptConfig('/x'))) as { request: object };
  expect(Object.keys(JSON.parse(shown))).toEqual(Object.keys(request));
});

test('the variables and the names of a handle in it are all', () => {
  const { variables } = command.preview(commandRequest(scriptConfig('/x'))) as { variables: string[] };
  for (const name of variables.filter((one) => one.startsWith('CAPWRAP_')))
    expect(SECTION).toContain(`\`${name}\``);
  for (const name of ['id', 'lease_id', 'accessor', 'jti', 'exp']) {
    expect(HANDLE_NAMES).toContain(name);
    expect(SECTION).toContain(`\`${name}\``);
  }
});
