/**
 * LookupEvents as CloudTrail offers it, on loopback: Signature Version 4 is checked, parameters are read strictly, and
 * what the service doesn't show (data events, other regions, what is older than 90 days) isn't shown.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expectedSignature, parseAmzDate, parseAuthorization } from '../../../examples/sandbox/signature.ts';
import { afterTest } from '../../helpers/after-test.ts';
import { Refusal } from '../call.ts';
import type { RawEvent } from './events.ts';

export interface TrailOptions {
  /** The caller's keys. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** The server's time. */
  readonly now?: () => Date;
  /** Requests that are taken in a second from a region. */
  readonly perSecond?: number;
  /** Events on a page at most, below the 50 of the service. */
  readonly pageSize?: number;
}

export interface FakeTrail {
  readonly url: string;
  /** Each call that was answered: its region and its attribute. */
  readonly asked: readonly { readonly region: string; readonly key: string; readonly value: string }[];
  /** How many calls were too many. */
  throttled(): number;
  /** The next calls are answered with this error. */
  refuse(...refusals: readonly Refusal[]): void;
}

/** Starts it, with these events; stopped after the test. */
export async function startTrail(events: readonly RawEvent[], options: TrailOptions): Promise<FakeTrail> {
  const trail = new Trail(events, options);
  const server = createServer((request, response) => {
    trail.answer(request).then(
      (body) => send(200, body),
      (error) => {
        const { status, code, message } =
          error instanceof Refusal ? error : new Refusal(500, 'InternalFailure');
        send(status, { __type: `com.amazonaws.cloudtrail.v20131101#${code}`, message });
      },
    );
    const send = (status: number, body: unknown) =>
      response
        .writeHead(status, {
          'content-type': 'application/x-amz-json-1.1',
          'x-amzn-requestid': randomUUID(),
          date: (options.now?.() ?? new Date()).toUTCString(),
        })
        .end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: trail.asked,
    throttled: () => trail.throttled,
    refuse: (...refusals) => trail.refusals.push(...refusals),
  };
}

/** The AWS CLI writes the longer form, the SDK for JavaScript the shorter one. */
const TARGET = /^(?:com\.amazonaws\.cloudtrail\.v20131101\.)?CloudTrail_20131101\.LookupEvents$/;
const DAY_MS = 24 * 3600 * 1000;

interface Query {
  readonly region: string;
  readonly key: string;
  readonly value: string;
  readonly from: number;
  readonly until: number;
}

class Trail {
  readonly asked: Query[] = [];
  readonly refusals: Refusal[] = [];
  throttled = 0;
  readonly #events: readonly RawEvent[];
  readonly #options: TrailOptions;
  readonly #recent = new Map<string, number[]>();
  /** What a token goes on with: the parameters it is bound to, and how many events have been shown. */
  readonly #tokens = new Map<string, { readonly parameters: string; readonly shown: number }>();

  constructor(events: readonly RawEvent[], options: TrailOptions) {
    this.#events = events;
    this.#options = options;
  }

  async answer(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const region = await this.#authenticate(request, body);
    this.#limit(region);
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    if (request.method !== 'POST' || request.url !== '/') throw new Refusal(404, 'UnknownOperationException');
    if (request.headers['content-type'] !== 'application/x-amz-json-1.1')
      throw new Refusal(415, 'UnsupportedMediaType');
    if (!TARGET.test(String(request.headers['x-amz-target'])))
      throw new Refusal(400, 'UnknownOperationException');
    const { NextToken, ...parameters } = JSON.parse(body.toString()) as Record<string, unknown>;
    const query = this.#read(region, parameters);
    this.asked.push(query);
    return this.#page(
      query,
      JSON.stringify({ region, ...parameters }),
      NextToken,
      Number(parameters['MaxResults'] ?? 50),
    );
  }

  async #authenticate(request: IncomingMessage, body: Buffer): Promise<string> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#options;
    const headers = request.headers as Record<string, string>;
    const authorization = parseAuthorization(headers['authorization']);
    const sentAt = parseAmzDate(headers['x-amz-date']);
    if (authorization === null || sentAt === null) throw new Refusal(400, 'IncompleteSignature');
    const required = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
    if (required.some((name) => !authorization.signedHeaders.includes(name)))
      throw new Refusal(403, 'SignatureDoesNotMatch', 'There were headers present that were not signed');
    if (authorization.accessKeyId !== accessKeyId || headers['x-amz-security-token'] !== sessionToken)
      throw new Refusal(
        400,
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    if (authorization.service !== 'cloudtrail') throw new Refusal(400, 'InvalidSignatureException');
    const call = { method: request.method ?? '', path: request.url ?? '', query: [], headers, body };
    const expected = await expectedSignature(call, authorization, sentAt, secretAccessKey);
    const late = Math.abs(Date.now() - sentAt.getTime()) > 300_000;
    if (late || expected !== authorization.signature) throw new Refusal(400, 'InvalidSignatureException');
    return authorization.region;
  }

  #limit(region: string): void {
    const now = Date.now();
    const recent = (this.#recent.get(region) ?? []).filter((time) => time > now - 1000);
    if (recent.length >= (this.#options.perSecond ?? Number.POSITIVE_INFINITY)) {
      this.throttled++;
      throw new Refusal(400, 'ThrottlingException', 'Rate exceeded');
    }
    this.#recent.set(region, [...recent, now]);
  }

  #read(region: string, parameters: Record<string, unknown>): Query {
    const known = ['LookupAttributes', 'StartTime', 'EndTime', 'MaxResults'];
    if (Object.keys(parameters).some((name) => !known.includes(name)))
      throw new Refusal(400, 'SerializationException');
    const {
      LookupAttributes: attributes,
      StartTime: from,
      EndTime: until,
      MaxResults: most = 50,
    } = parameters;
    if (!Array.isArray(attributes) || attributes.length !== 1)
      throw new Refusal(400, 'InvalidLookupAttributesException');
    const { AttributeKey: key, AttributeValue: value } = attributes[0] as Record<string, string>;
    if (!key || !value || !Object.hasOwn(ATTRIBUTES, key) || value.length > 2000)
      throw new Refusal(400, 'InvalidLookupAttributesException');
    if (typeof most !== 'number' || most < 1 || most > 50)
      throw new Refusal(400, 'InvalidMaxResultsException');
    if (typeof from !== 'number' || typeof until !== 'number' || from > until)
      throw new Refusal(400, 'InvalidTimeRangeException');
    return { region, key, value, from, until };
  }

  #page(
    { region, key, value, from, until }: Query,
    parameters: string,
    token: unknown,
    most: number,
  ): unknown {
    const now = (this.#options.now?.() ?? new Date()).getTime();
    const held = typeof token === 'string' ? this.#tokens.get(token) : { parameters, shown: 0 };
    if (held?.parameters !== parameters) throw new Refusal(400, 'InvalidNextTokenException');
    const found = this.#events
      .filter((event) => event['awsRegion'] === region && event['eventCategory'] === 'Management')
      .map((event) => ({ event, time: Date.parse(String(event['eventTime'])) }))
      .filter(({ time }) => time >= from * 1000 && time <= until * 1000 && time > now - 90 * DAY_MS)
      .filter(({ event }) => (ATTRIBUTES[key]?.(event) ?? []).includes(value))
      .sort((a, b) => b.time - a.time);
    const shown = held.shown + Math.min(most, this.#options.pageSize ?? 50);
    const events = found.slice(held.shown, shown).map(({ event }) => toItem(event));
    if (shown >= found.length) return { Events: events };
    const next = randomUUID();
    this.#tokens.set(next, { parameters, shown });
    return { Events: events, NextToken: next };
  }
}

type Identity = { readonly accessKeyId?: string; readonly principalId?: string; readonly userName?: string };

const identityOf = (event: RawEvent) => event['userIdentity'] as Identity;

function userOf(event: RawEvent): string {
  const { userName, principalId = '' } = identityOf(event);
  return userName ?? principalId.split(':')[1] ?? '';
}

function resourcesOf(event: RawEvent): string[] {
  const answer = event['responseElements'] as {
    credentials?: { accessKeyId: string };
    assumedRoleUser?: { arn: string };
  } | null;
  return [answer?.credentials?.accessKeyId, answer?.assumedRoleUser?.arn].filter(
    (name) => name !== undefined,
  );
}

const ATTRIBUTES: Readonly<Record<string, (event: RawEvent) => readonly string[]>> = {
  AccessKeyId: (event) => [identityOf(event).accessKeyId ?? ''],
  Username: (event) => [userOf(event)],
  ResourceName: resourcesOf,
  EventName: (event) => [String(event['eventName'])],
};

function toItem(event: RawEvent): unknown {
  return {
    EventId: event['eventID'],
    EventName: event['eventName'],
    ReadOnly: String(event['readOnly']),
    AccessKeyId: identityOf(event).accessKeyId,
    EventTime: Date.parse(String(event['eventTime'])) / 1000,
    EventSource: event['eventSource'],
    Username: userOf(event),
    Resources: resourcesOf(event).map((name) => ({ ResourceName: name })),
    CloudTrailEvent: JSON.stringify(event),
  };
}
