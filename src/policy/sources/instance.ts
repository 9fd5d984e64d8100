/** Source `instance`: the role of the EC2 instance, from its metadata service. */
import { kind, maybe, text } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { metadataEndpoint } from './metadata-endpoint.ts';

export interface InstanceSource {
  readonly type: 'instance';
  /** The role that the instance must have; null for whichever it has. */
  readonly role: string | null;
  /** Null means the service's own address. */
  readonly endpoint: string | null;
}

const fields = {
  type: kind('instance', 'The role of the EC2 instance, by IMDSv2'),
  role: maybe(
    text(/^[\w+=,.@-]{1,64}$/, 'must be the name of a role'),
    'The role that the instance must have; default: whichever it has',
  ),
  endpoint: metadataEndpoint(
    'http://[fd00:ec2::254]',
    "Instead of http://169.254.169.254: the service's address in IPv6, or a test's",
  ),
};

export const instance: SourcePolicy<typeof fields, InstanceSource> = {
  type: 'instance',
  fields,
  holds: 'keys',
  roleSession: true,
  normalise: (raw) => ({ type: raw.type, role: raw.role ?? null, endpoint: raw.endpoint ?? null }),
  label: (source) => (source.role === null ? source.type : `instance:${source.role}`),
};
