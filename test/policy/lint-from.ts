/** Findings of maps that are written as values, through the real parser and the real IAM reference. */
import type { Finding } from '../../src/policy/finding.ts';
import type { IamActions } from '../../src/policy/lint/iam-actions.ts';
import { readIamActions } from '../../src/policy/lint/iam-file.ts';
import { lintMap } from '../../src/policy/lint/lint-map.ts';
import { analyseMap } from '../../src/policy/parse.ts';
import { DIR } from './map-from.ts';

let reference: IamActions | undefined;

/** The reference that the last build made, read once. */
export function iamActions(): IamActions {
  reference ??= readIamActions();
  return reference;
}

export const documented = { description: 'x', tests: [{ given: {}, expect: 'deny' }] };
export const local = { provider: 'local-issuer', audience: 'a', scope: ['x'], ...documented };
export const aws = {
  provider: 'aws-sts',
  role_arn: 'arn:aws:iam::123456789012:role/x',
  region: 'us-east-1',
  source: { type: 'env' },
  scope: [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::a/*'] }],
  ...documented,
};

/** Conditions of which nothing is to be said. */
export const sound = {
  repo: 'a/b',
  branch: 'main',
  command: './x.sh',
  sources: { repo: 'observed', branch: 'observed' },
};
export const good = { allow: sound };

export function findingsIn(text: string): Finding[] {
  const { map, faults, positions } = analyseMap(Buffer.from(text), { path: 'f', dir: DIR, sha256: '' });
  if (map === null || positions === null) throw new Error(faults.map(({ message }) => message).join('\n'));
  return lintMap(map, positions, iamActions());
}

/** The findings of a capability `x` with these fields, and of a map with these approvers. */
export function findingsOf(capability: object, approvers: object = {}): Finding[] {
  return findingsIn(JSON.stringify({ version: 1, approvers, capabilities: { x: capability } }));
}

/** `warning any_code rules[0].allow.command`, sorted. */
export function codesOf(capability: object, approvers: object = {}): string[] {
  return findingsOf(capability, approvers)
    .map(({ code, severity, at }) => `${severity} ${code} ${at.replace('capabilities.x.', '')}`)
    .sort();
}

/** The findings of one allow with these conditions beside sound ones; `undefined` takes one away. */
export function codesOfAllow(conditions: object): string[] {
  return codesOf({ ...local, rules: [{ allow: { ...sound, ...conditions } }] });
}
