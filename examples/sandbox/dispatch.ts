/** One request from arrival to answer: which service, which fault, who signed it, what it gets. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { commonHeaders, errorReply, insteadOfAnswer, send } from './answers.ts';
import { cloudFrontTarget, handleCloudFront } from './cloudfront.ts';
import type { Fault, FaultQueue } from './faults.ts';
import { handleS3, s3Target } from './s3.ts';
import { parseAuthorization } from './signature.ts';
import { authenticate } from './sigv4.ts';
import type { State } from './state.ts';
import { handleSts } from './sts.ts';
import { stsAction } from './sts-parameters.ts';
import { type Call, Refusal, type Reply, SERVICES, type Service } from './wire.ts';

/** What was asked and answered. Holds no secret. */
export interface RequestLogEntry {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly service: Service;
  /** The operation, such as `AssumeRole`; empty where the sandbox has none for the request. */
  readonly action: string;
  /** Of the signature's scope; empty for an unsigned request. */
  readonly region: string;
  readonly accessKeyId: string | null;
  /** ARN that the signature proved; null where it proved none. */
  principal: string | null;
  /** STS: the form without tokens. Elsewhere: bucket and key, or distribution. */
  readonly params: Readonly<Record<string, string>>;
  /** Kind of the fault that met it, or null. */
  readonly fault: Fault['kind'] | null;
  /** Null while there is no answer, and where a fault left it without one. */
  status: number | null;
  /** The error's code, or null. */
  code: string | null;
}

export interface Exchange {
  readonly state: State;
  readonly faults: FaultQueue;
  readonly requests: RequestLogEntry[];
  /** Aborts when the sandbox stops. */
  readonly signal: AbortSignal;
}

/** Answers one request, or leaves it without an answer where a fault says so. */
export async function answer(call: Call, response: ServerResponse, exchange: Exchange): Promise<void> {
  const { service, action, params } = identify(call);
  const fault = exchange.faults.take(service, action);
  const authorization = parseAuthorization(call.headers['authorization']);
  const entry: RequestLogEntry = {
    method: call.method,
    path: call.path,
    service,
    action,
    region: authorization?.region ?? '',
    accessKeyId: authorization?.accessKeyId ?? null,
    principal: null,
    params,
    fault: fault?.kind ?? null,
    status: null,
    code: null,
  };
  exchange.requests.push(entry);

  if (fault?.delayMs !== undefined) await sleep(fault.delayMs, undefined, { signal: exchange.signal });
  if (fault?.kind === 'hang') return;
  if (fault?.kind === 'reset' && fault.when === 'before') return void response.destroy();

  const requestId = service === 's3' ? randomBytes(8).toString('hex').toUpperCase() : randomUUID();
  const reply =
    insteadOfAnswer(fault) ??
    (await perform(call, entry, fault, exchange.state, requestId).catch((error: unknown) => {
      const refusal = asRefusal(error);
      entry.code = refusal.code;
      return errorReply(service, refusal, call, requestId);
    }));
  if (fault?.kind === 'reset') return void response.destroy();
  entry.status = reply.status;
  const headers = { ...commonHeaders(service, requestId, exchange.state.now()), ...reply.headers };
  send({ ...reply, headers }, response, call.method, fault);
}

interface Identity {
  readonly service: Service;
  readonly action: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The signature's scope says which service is meant; where there is none, the shape of the request does. */
function identify(call: Call): Identity {
  const scoped = parseAuthorization(call.headers['authorization'])?.service;
  const byShape = call.path === '/' ? 'sts' : call.path.startsWith('/2020-05-31/') ? 'cloudfront' : 's3';
  const service = SERVICES.find((one) => one === scoped) ?? byShape;
  if (service === 'sts') {
    const form = [...new URLSearchParams(call.body.toString('utf8'))];
    const params = Object.fromEntries(form.filter(([name]) => !/token/i.test(name)));
    return { service, action: stsAction(call), params };
  }
  if (service === 's3') {
    const { operation, bucket, key } = s3Target(call);
    return { service, action: operation, params: { bucket, key } };
  }
  const { operation, distribution } = cloudFrontTarget(call);
  return { service, action: operation, params: { distribution } };
}

async function perform(
  call: Call,
  entry: RequestLogEntry,
  fault: Fault | undefined,
  state: State,
  requestId: string,
): Promise<Reply> {
  if (fault?.kind === 'error') {
    throw new Refusal(fault.status, fault.code, fault.message ?? 'A queued fault.');
  }
  const { service, action, region } = entry;
  const signed = call.headers['authorization'] !== undefined;
  if (action === 'AssumeRoleWithWebIdentity' && !signed) {
    return handleSts(call, null, region, state, requestId);
  }
  const credential = await authenticate(call, service, state);
  entry.principal = credential.principal.arn;
  if (service === 'sts') return handleSts(call, credential, region, state, requestId);
  if (service === 's3') return handleS3(call, credential, region, state);
  return handleCloudFront(call, credential, region, state);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(500, 'InternalFailure', 'The sandbox failed; this is a defect of the sandbox.');
}
