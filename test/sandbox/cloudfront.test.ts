import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import { EXAMPLE_SCOPE, lease } from './leases.ts';
import { element, type RawReply, type RawRequest, type SignOptions, send, sign } from './requests.ts';

let sandbox: Sandbox;
let wide: Credential;
beforeAll(async () => {
  sandbox = await startSandbox();
  wide = await lease(sandbox, null);
});
afterAll(() => sandbox.stop());

const BATCHES = '/2020-05-31/distribution/E1EXAMPLE/invalidation';
const batch = (paths: readonly string[], reference: string, quantity = paths.length) =>
  `<?xml version="1.0"?><InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>${quantity}</Quantity><Items>${paths
    .map((path) => `<Path>${path}</Path>`)
    .join('')}</Items></Paths><CallerReference>${reference}</CallerReference></InvalidationBatch>`;

async function call(
  credential: Credential,
  request: Partial<RawRequest>,
  options: SignOptions = {},
): Promise<RawReply> {
  const signed = await sign(sandbox, credential, request, { service: 'cloudfront', ...options });
  return send(sandbox, signed);
}

test('an invalidation is created, is the same for the same reference, and is complete when asked about', async () => {
  const body = batch(['/index.html', '/assets/*'], 'build-7');
  const created = await call(wide, { path: BATCHES, body });
  expect(created).toMatchObject({ status: 201 });
  expect(element(created.body, 'Status')).toBe('InProgress');
  const id = element(created.body, 'Id') ?? '';
  expect(created.headers['location']).toBe(`https://cloudfront.amazonaws.com${BATCHES}/${id}`);
  expect(sandbox.invalidations).toMatchObject([
    { id, distributionId: 'E1EXAMPLE', paths: ['/index.html', '/assets/*'], callerReference: 'build-7' },
  ]);

  expect(element((await call(wide, { path: BATCHES, body })).body, 'Id')).toBe(id);
  const other = await call(wide, { path: BATCHES, body: batch(['/other'], 'build-7') });
  expect(other).toMatchObject({ status: 409, code: 'InvalidationBatchAlreadyExists' });

  const found = await call(wide, { method: 'GET', path: `${BATCHES}/${id}` });
  expect(element(found.body, 'Status')).toBe('Completed');
  expect(element(found.body, 'CallerReference')).toBe('build-7');
  expect(sandbox.invalidations).toHaveLength(1);
});

describe('a refusal', () => {
  const post = (body: string, path = BATCHES): Partial<RawRequest> => ({ path, body });
  test.each<[string, Partial<RawRequest>, number, string]>([
    ['no body', post(''), 400, 'MissingBody'],
    ['no XML', post('{}'), 400, 'MalformedXML'],
    ['another document', post('<Other/>'), 400, 'MalformedXML'],
    ['a DTD', post(`<!DOCTYPE x>${batch(['/'], 'r')}`), 400, 'MalformedXML'],
    ['elements that do not close', post(batch(['/'], 'r').replace('</Paths>', '')), 400, 'MalformedXML'],
    ['no reference', post(batch(['/'], '')), 400, 'MalformedXML'],
    ['another count', post(batch(['/a', '/b'], 'r', 3)), 400, 'InconsistentQuantities'],
    ['no path', post(batch([], 'r')), 400, 'InvalidArgument'],
    ['a path without a slash', post(batch(['index.html'], 'r')), 400, 'InvalidArgument'],
    ['a star that is not at the end', post(batch(['/*/x'], 'r')), 400, 'InvalidArgument'],
    [
      'an unknown distribution',
      post(batch(['/'], 'r'), BATCHES.replace('E1EXAMPLE', 'E2')),
      404,
      'NoSuchDistribution',
    ],
    ['an unknown invalidation', { method: 'GET', path: `${BATCHES}/I1` }, 404, 'NoSuchInvalidation'],
    ['another operation', { method: 'GET', path: BATCHES }, 501, 'NotImplemented'],
    ['a query', { ...post(batch(['/'], 'r')), query: { x: '1' } }, 501, 'NotImplemented'],
  ])('%s', async (_, request, status, code) => {
    const reply = await call(wide, request);
    expect(reply).toMatchObject({ status, code });
    expect(reply.body).toContain('<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">');
  });

  test('a scope of another region: the service is global', async () => {
    const reply = await call(wide, post(batch(['/'], 'r')), { region: 'eu-west-1' });
    expect(reply).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    expect(reply.message).toBe('Credential should be scoped to a valid Region, not eu-west-1.');
  });

  test('a session whose policy names another distribution', async () => {
    const narrow = await lease(sandbox, EXAMPLE_SCOPE);
    const reply = await call(narrow, post(batch(['/'], 'r'), BATCHES.replace('E1EXAMPLE', 'E2')));
    expect(reply.message).toBe(
      'User: arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-1 is not authorized to perform: cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::123456789012:distribution/E2 because no session policy allows the cloudfront:CreateInvalidation action',
    );
    expect(await call(narrow, { method: 'GET', path: `${BATCHES}/I1` })).toMatchObject({
      code: 'AccessDenied',
    });
    expect(await call(narrow, post(batch(['/'], 'own')))).toMatchObject({ status: 201 });
  });
});
