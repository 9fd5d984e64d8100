/**
 * The shape that AWS gives to what a `credential_process` prints:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */

import type { JsonObject } from '../../../base/json-object.ts';
import { AWS_DEFAULT_INJECT } from '../../../policy/providers/aws-sts.ts';
import { NOTHING, type Shape, timeOf } from './printed-lease.ts';

/** Without those of the region, which such an answer does not name. */
const AWS_INJECT = Object.fromEntries(
  Object.entries(AWS_DEFAULT_INJECT).filter(([, value]) => value !== 'region'),
);

/** The secrets among its fields, by the lease's names. */
export function awsSecrets({ SecretAccessKey, SessionToken }: JsonObject): [string, string][] {
  const found: [string, unknown][] = [
    ['secret_access_key', SecretAccessKey],
    ['session_token', SessionToken],
  ];
  return found.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** The lease, or what is wrong with it as the end of a sentence. */
export function readAws(document: JsonObject): Shape | string {
  const { Version, AccessKeyId, SecretAccessKey, SessionToken } = document;
  if (Version !== 1) return 'printed an access key without "Version": 1';
  if (typeof AccessKeyId !== 'string' || !/^A[A-Z0-9]{15,127}$/.test(AccessKeyId))
    return 'printed an "AccessKeyId" that is none';
  if (typeof SecretAccessKey !== 'string') return 'printed an access key without its "SecretAccessKey"';
  const expiresAt = timeOf(document['Expiration']);
  const open = (value: string) => ({ value, secret: false });
  const values = {
    access_key_id: open(AccessKeyId),
    secret_access_key: { value: SecretAccessKey, secret: true },
    ...(Number.isFinite(expiresAt.getTime()) && { expiration: open(withoutFraction(expiresAt)) }),
  };
  if (/^AKIA/.test(AccessKeyId)) return { ...NOTHING, values }; // refused for what it is
  if (typeof SessionToken !== 'string') return 'printed a temporary access key without its "SessionToken"';
  return {
    ...NOTHING,
    values: { ...values, session_token: { value: SessionToken, secret: true } },
    defaultInject: AWS_INJECT,
    expiresAt,
  };
}

function withoutFraction(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
