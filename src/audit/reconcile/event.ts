/**
 * One CloudTrail event, cut down to what a verdict rests on.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
import { type StoredRecord, textAt, valueAt } from '../record/stored-record.ts';

export interface TrailEvent {
  readonly id: string;
  /** The same for one call that the trails of two accounts have; empty for others. */
  readonly shared: string;
  /** When the call was completed, by AWS's clock, in milliseconds; CloudTrail has whole seconds. */
  readonly time: number;
  /** `s3.amazonaws.com`. */
  readonly source: string;
  /** `PutObject`. */
  readonly name: string;
  readonly region: string;
  /** The account whose trail has it; empty where it isn't told. */
  readonly account: string;
  readonly address: string;
  readonly agent: string;
  /** The key that signed; empty where CloudTrail left it out. */
  readonly keyId: string;
  /** The caller's ARN; empty for a caller without one. */
  readonly caller: string;
  /** `AROA…:session`: all that the account of a resource is told of a caller from another one. */
  readonly principalId: string;
  /** The caller's account. */
  readonly callerAccount: string;
  /** True where a service of AWS made the call on the caller's behalf, or reports what it did by itself. */
  readonly byService: boolean;
  readonly error: string | null;
  /** The service itself, where several share one source; empty where it isn't told. */
  readonly service: string;
  /** Data events are recorded only where a trail was told to; management events always are. */
  readonly data: boolean;
  /** True where one version of an object was named, which takes an IAM action of its own. */
  readonly versioned: boolean;
  /** The credential that the answer handed out. */
  readonly obtained: ObtainedKey | null;
}

export interface ObtainedKey {
  readonly keyId: string;
  /** ARN of the session; empty where the answer names none. */
  readonly principal: string;
  /** `AROA…:session`; empty where the answer names none. */
  readonly principalId: string;
  /** Milliseconds; where the answer has none, the longest life that STS gives. */
  readonly expiresAt: number;
}

/** Null for what is no CloudTrail event of a call. What is there is bounded, and still any text. */
export function parseTrailEvent(value: unknown): TrailEvent | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const event = value as StoredRecord;
  const text = (...path: string[]) => clip(textAt(event, ...path) ?? '');
  const time = TIME.test(text('eventTime')) ? Date.parse(text('eventTime')) : Number.NaN;
  const [id, source, name] = [text('eventID'), text('eventSource'), text('eventName')];
  if (!ID.test(id) || Number.isNaN(time) || source === '' || name === '') return null;
  const address = text('sourceIPAddress');
  return {
    id: id.toLowerCase(),
    shared: text('sharedEventID'),
    time,
    source,
    name,
    region: text('awsRegion'),
    account: text('recipientAccountId') || text('userIdentity', 'accountId'),
    address,
    agent: text('userAgent'),
    keyId: text('userIdentity', 'accessKeyId'),
    caller: text('userIdentity', 'arn'),
    principalId: text('userIdentity', 'principalId'),
    callerAccount: text('userIdentity', 'accountId'),
    byService: SERVICE_ADDRESS.test(address) || text('eventType') === 'AwsServiceEvent',
    error: text('errorCode') || null,
    service: text('additionalEventData', 'service'),
    data: isData(event),
    versioned: valueAt(event, 'requestParameters', 'versionId') != null,
    obtained: obtainedIn(event, time),
  };
}

/** The same event again, or one that only claims to be: two that differ in anything have two keys. */
export function identityOf(event: TrailEvent): string {
  return JSON.stringify(Object.values(event));
}

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * With forward access sessions the address is the service's name. `invokedBy` alone doesn't tell: calls by hand from the
 * console have it, too.
 */
const SERVICE_ADDRESS = /^(?:[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|aws\.internal)|AWS Internal)$/i;

const LONGEST_TEXT = 512;

function clip(text: string): string {
  return text.length <= LONGEST_TEXT ? text : text.slice(0, LONGEST_TEXT);
}

function isData(event: StoredRecord): boolean {
  const category = textAt(event, 'eventCategory');
  return category === undefined ? valueAt(event, 'managementEvent') === false : category === 'Data';
}

/** STS issues for twelve hours at most. */
const LONGEST_LIFE_MS = 12 * 3600 * 1000;

function obtainedIn(event: StoredRecord, time: number): ObtainedKey | null {
  const keyId = textAt(event, 'responseElements', 'credentials', 'accessKeyId') ?? '';
  if (!/^[A-Z0-9]{16,128}$/.test(keyId)) return null;
  const expiry = parseExpiration(textAt(event, 'responseElements', 'credentials', 'expiration') ?? '');
  return {
    keyId,
    principal: clip(textAt(event, 'responseElements', 'assumedRoleUser', 'arn') ?? ''),
    principalId: clip(textAt(event, 'responseElements', 'assumedRoleUser', 'assumedRoleId') ?? ''),
    expiresAt: Number.isNaN(expiry) ? time + LONGEST_LIFE_MS : expiry,
  };
}

/** In CloudTrail `Mar 20, 2026, 11:16:09 PM`, in UTC, with or without the comma and with a blank of either kind. */
function parseExpiration(text: string): number {
  if (TIME.test(text)) return Date.parse(text);
  const plain = text.replace(/\s/g, ' ');
  return /^[A-Z][a-z]{2} \d{1,2}, \d{4},? \d{1,2}:\d\d:\d\d [AP]M$/.test(plain)
    ? Date.parse(`${plain.replace(/(\d{4}),/, '$1')} UTC`)
    : Number.NaN;
}
