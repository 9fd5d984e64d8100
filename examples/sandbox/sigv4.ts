/** Who signed a request. Signature Version 4 is verified as AWS does it, and refused in the same words. */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type Authorization,
  compact,
  expectedSignature,
  parseAmzDate,
  parseAuthorization,
} from './signature.ts';
import type { Credential, State } from './state.ts';
import { type Call, Refusal, type Service } from './wire.ts';

/**
 * The credential that signed the call. Throws the Refusal that the service answers with when the key is unknown or
 * expired, the signature or the body's digest doesn't fit, a header that must be signed isn't, or the time is off.
 */
export async function authenticate(call: Call, service: Service, state: State): Promise<Credential> {
  const s3 = service === 's3';
  const presigned = call.query.some(([name]) => /^x-amz-(signature|algorithm)$/i.test(name));
  if (presigned) throw new Refusal(501, 'NotImplemented', 'The sandbox takes no presigned requests.');
  if (call.headers['authorization'] === undefined) {
    throw s3
      ? new Refusal(403, 'AccessDenied', 'Access Denied')
      : new Refusal(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  const authorization = parseAuthorization(call.headers['authorization']);
  const sentAt = parseAmzDate(call.headers['x-amz-date']);
  if (authorization === null || sentAt === null) {
    throw malformed(s3, 'The authorization header is malformed.');
  }
  if (authorization.service !== service) {
    const message = `Credential should be scoped to correct service: '${service}'.`;
    throw s3 ? malformed(s3, message) : new Refusal(403, 'SignatureDoesNotMatch', message);
  }
  checkSignedHeaders(call, authorization, s3);
  checkTime(authorization, sentAt, s3, state.now());
  const credential = state.credentials.get(authorization.accessKeyId);
  if (credential === undefined) {
    throw s3
      ? new Refusal(
          403,
          'InvalidAccessKeyId',
          'The AWS Access Key Id you provided does not exist in our records.',
        )
      : invalidToken();
  }
  checkPayload(call, s3);
  const expected = await expectedSignature(call, authorization, sentAt, credential.secretAccessKey);
  if (!same(expected, authorization.signature)) throw mismatch(s3);
  checkToken(call, credential, s3, state.now());
  return credential;
}

/** AWS wants `host` and every `x-amz-*` header signed, and the list sorted. */
function checkSignedHeaders(call: Call, { signedHeaders }: Authorization, s3: boolean): void {
  const sorted = [...new Set(signedHeaders)].sort();
  if (sorted.join() !== signedHeaders.join()) throw malformed(s3, 'SignedHeaders is not sorted and unique.');
  const absent = signedHeaders.filter((name) => call.headers[name] === undefined);
  if (absent.length > 0) throw mismatch(s3);
  const required = ['host', ...Object.keys(call.headers).filter((name) => name.startsWith('x-amz-'))];
  const unsigned = required.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  const message = 'There were headers present in the request which were not signed';
  throw s3
    ? new Refusal(403, 'AccessDenied', message, { HeadersNotSigned: unsigned.join(', ') })
    : new Refusal(403, 'SignatureDoesNotMatch', `${message}: ${unsigned.join(', ')}`);
}

/** Five minutes of difference are tolerated, fifteen by S3; the scope's date must be the day it was signed on. */
function checkTime(authorization: Authorization, sentAt: Date, s3: boolean, now: Date): void {
  if (compact(sentAt).slice(0, 8) !== authorization.date) {
    throw s3
      ? malformed(s3, 'Invalid credential date: it differs from x-amz-date.')
      : new Refusal(
          403,
          'SignatureDoesNotMatch',
          'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.',
        );
  }
  const minutes = s3 ? 15 : 5;
  const late = now.getTime() - sentAt.getTime();
  if (Math.abs(late) <= minutes * 60_000) return;
  if (s3) {
    throw new Refusal(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      {
        RequestTime: compact(sentAt),
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: minutes * 60_000,
      },
    );
  }
  const limit = new Date(now.getTime() - Math.sign(late) * minutes * 60_000);
  throw new Refusal(
    403,
    'SignatureDoesNotMatch',
    late > 0
      ? `Signature expired: ${compact(sentAt)} is now earlier than ${compact(limit)} (${compact(now)} - 5 min.)`
      : `Signature not yet current: ${compact(sentAt)} is still later than ${compact(limit)} (${compact(now)} + 5 min.)`,
  );
}

/** S3 wants the digest in a header; wherever a header gives one, it must be the body's. */
function checkPayload(call: Call, s3: boolean): void {
  const claimed = call.headers['x-amz-content-sha256'];
  if (claimed === undefined) {
    if (!s3) return;
    throw new Refusal(
      400,
      'InvalidRequest',
      'Missing required header for this request: x-amz-content-sha256',
    );
  }
  if (s3 && !/^[0-9a-f]{64}$/.test(claimed)) {
    if (claimed === 'UNSIGNED-PAYLOAD' || claimed === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return;
    if (claimed.startsWith('STREAMING-')) {
      throw new Refusal(501, 'NotImplemented', 'The sandbox takes no bodies with signed chunks.');
    }
    throw new Refusal(
      400,
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value.',
    );
  }
  const actual = createHash('sha256').update(call.body).digest('hex');
  if (claimed === actual) return;
  if (!s3) throw mismatch(s3);
  throw new Refusal(
    400,
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { ClientComputedContentSHA256: claimed, S3ComputedContentSHA256: actual },
  );
}

function checkToken(call: Call, credential: Credential, s3: boolean, now: Date): void {
  if (!same(call.headers['x-amz-security-token'] ?? '', credential.sessionToken ?? '')) {
    throw s3
      ? new Refusal(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.')
      : invalidToken();
  }
  if (credential.expiresAt !== null && credential.expiresAt.getTime() <= now.getTime()) {
    throw s3
      ? new Refusal(400, 'ExpiredToken', 'The provided token has expired.', {
          // S3 sends the token back in its error. A client that prints the body leaks it.
          'Token-0': credential.sessionToken ?? undefined,
        })
      : new Refusal(403, 'ExpiredToken', 'The security token included in the request is expired');
  }
}

/** Compares in a time that says nothing about where the texts differ. */
function same(first: string, second: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(first), digest(second));
}

function mismatch(s3: boolean): Refusal {
  const advice = s3
    ? 'Check your key and signing method.'
    : 'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
  const message = 'The request signature we calculated does not match the signature you provided.';
  return new Refusal(403, 'SignatureDoesNotMatch', `${message} ${advice}`);
}

function malformed(s3: boolean, message: string): Refusal {
  return new Refusal(400, s3 ? 'AuthorizationHeaderMalformed' : 'IncompleteSignature', message);
}

function invalidToken(): Refusal {
  return new Refusal(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
}
