/** Names of roles and sessions, and where STS answers for them. */
import { CapwrapError } from '../../../errors.ts';

export interface RoleName {
  readonly partition: string;
  readonly account: string;
  /** Last part of the ARN, without the role's path. */
  readonly name: string;
}

/** Splits `arn:aws:iam::123456789012:role/path/name`. Throws ERR_MAP_INVALID for anything else. */
export function parseRoleArn(arn: string): RoleName {
  const match = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:[\x21-\x7e]+\/)?([\w+=,.@-]{1,64})$/.exec(arn);
  const [, partition, account, name] = match ?? [];
  if (!partition || !account || !name) {
    throw new CapwrapError('ERR_MAP_INVALID', `role_arn "${arn}" is not the ARN of a role`, {
      hint: 'role_arn: arn:aws:iam::123456789012:role/NAME',
    });
  }
  return { partition, account, name };
}

/** The principal that a session of the role speaks as: the role's path is not in it. */
export function sessionArn(role: RoleName, sessionName: string): string {
  return `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`;
}

const SUFFIXES: Readonly<Record<string, string>> = {
  'aws-cn': 'amazonaws.com.cn',
  'aws-eusc': 'amazonaws.eu',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
  'aws-iso-e': 'cloud.adc-e.uk',
  'aws-iso-f': 'csp.hci.ic.gov',
};

/** https://docs.aws.amazon.com/general/latest/gr/sts.html; `service` is another one that follows the same rule. */
export function regionalEndpoint(region: string, partition: string, service = 'sts'): string {
  return `https://${service}.${region}.${SUFFIXES[partition] ?? 'amazonaws.com'}`;
}
