/** CloudFront: CreateInvalidation and GetInvalidation. An invalidation is complete as soon as it is asked about. */
import { ACCOUNT } from './accounts.ts';
import { accessDeniedMessage, evaluate } from './authorize.ts';
import { contextOf } from './context.ts';
import type { Credential, Invalidation, State } from './state.ts';
import { type Call, isoSeconds, Refusal, type Reply, randomId } from './wire.ts';
import { onlyChild, parseXml, xmlDocument } from './xml.ts';

export const CLOUDFRONT_XMLNS = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';

const PATH =
  /^\/2020-05-31\/distribution\/(?<distribution>[^/]+)\/invalidation(?:\/(?<invalidation>[^/]+))?$/;

export interface CloudFrontTarget {
  /** Empty for an operation that the sandbox does not have. */
  readonly operation: '' | 'CreateInvalidation' | 'GetInvalidation';
  readonly distribution: string;
  readonly invalidation: string;
}

/** Which operation on which distribution a call asks for. */
export function cloudFrontTarget(call: Call): CloudFrontTarget {
  const { distribution = '', invalidation = '' } = PATH.exec(call.path)?.groups ?? {};
  const creates = call.method === 'POST' && distribution !== '' && invalidation === '';
  const reads = call.method === 'GET' && invalidation !== '';
  return {
    operation: creates ? 'CreateInvalidation' : reads ? 'GetInvalidation' : '',
    distribution,
    invalidation,
  };
}

/** Answers a signed call. Throws Refusal. */
export function handleCloudFront(call: Call, caller: Credential, region: string, state: State): Reply {
  const { operation, distribution, invalidation } = cloudFrontTarget(call);
  if (operation === '' || call.query.length > 0) {
    throw new Refusal(501, 'NotImplemented', 'The sandbox does not have this operation.');
  }
  // A global service: its scope is always us-east-1.
  if (region !== 'us-east-1') {
    throw new Refusal(
      403,
      'SignatureDoesNotMatch',
      `Credential should be scoped to a valid Region, not ${region}.`,
    );
  }
  const request = {
    action: `cloudfront:${operation}`,
    resource: `arn:aws:cloudfront::${ACCOUNT}:distribution/${distribution}`,
    context: contextOf(caller, state, { 'aws:requestedregion': 'us-east-1' }),
  };
  const { principal } = caller;
  const verdict = evaluate(principal.owner.policy, principal.sessionPolicy, request);
  if (!verdict.allowed) {
    throw new Refusal(403, 'AccessDenied', accessDeniedMessage(principal.arn, request, verdict));
  }
  if (!state.distributions.has(distribution)) {
    throw new Refusal(404, 'NoSuchDistribution', 'The specified distribution does not exist.');
  }
  if (operation === 'CreateInvalidation') return createInvalidation(call, distribution, state);
  const found = state.invalidations.find(
    (one) => one.id === invalidation && one.distributionId === distribution,
  );
  if (found === undefined) {
    throw new Refusal(404, 'NoSuchInvalidation', 'The specified invalidation does not exist.');
  }
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: describe(found, 'Completed') };
}

function createInvalidation(call: Call, distributionId: string, state: State): Reply {
  const { paths, callerReference } = readBatch(call.body.toString('utf8'));
  const earlier = state.invalidations.find(
    (one) => one.distributionId === distributionId && one.callerReference === callerReference,
  );
  if (earlier !== undefined && earlier.paths.join('\n') !== paths.join('\n')) {
    throw new Refusal(
      409,
      'InvalidationBatchAlreadyExists',
      'The caller reference was used with other paths.',
    );
  }
  const invalidation = earlier ?? {
    id: randomId('I', 13),
    distributionId,
    paths,
    callerReference,
    createdAt: state.now(),
  };
  if (earlier === undefined) state.invalidations.push(invalidation);
  const location = `https://cloudfront.amazonaws.com${call.path}/${invalidation.id}`;
  return {
    status: 201,
    headers: { 'content-type': 'text/xml', location },
    body: describe(invalidation, 'InProgress'),
  };
}

/** https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html */
function readBatch(body: string): { paths: readonly string[]; callerReference: string } {
  if (body === '') {
    throw new Refusal(400, 'MissingBody', 'This operation requires a body. Ensure that the body is present.');
  }
  const batch = parseXml(body);
  const list = onlyChild(batch ?? undefined, 'Paths');
  const quantity = onlyChild(list, 'Quantity')?.text ?? '';
  const callerReference = onlyChild(batch ?? undefined, 'CallerReference')?.text ?? '';
  if (batch?.name !== 'InvalidationBatch' || !/^\d{1,9}$/.test(quantity) || callerReference === '') {
    throw new Refusal(400, 'MalformedXML', 'The XML document is malformed.');
  }
  const paths = (onlyChild(list, 'Items')?.children ?? []).map((item) => item.text);
  if (paths.length !== Number(quantity)) {
    throw new Refusal(
      400,
      'InconsistentQuantities',
      "The value of Quantity and the size of Items don't match.",
    );
  }
  if (paths.length === 0 || !paths.every((path) => /^\/[\x21-\x7e]*$/.test(path) && !/\*./.test(path))) {
    throw new Refusal(
      400,
      'InvalidArgument',
      'Your request contains one or more invalid invalidation paths.',
    );
  }
  return { paths, callerReference };
}

function describe(invalidation: Invalidation, status: string): string {
  return xmlDocument('Invalidation', CLOUDFRONT_XMLNS, {
    Id: invalidation.id,
    Status: status,
    CreateTime: isoSeconds(invalidation.createdAt),
    InvalidationBatch: {
      Paths: { Quantity: invalidation.paths.length, Items: { Path: invalidation.paths } },
      CallerReference: invalidation.callerReference,
    },
  });
}
