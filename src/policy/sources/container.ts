/** Source `container`: the role of an ECS task or an EKS pod, from the agent beside it. */
import { kind } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { metadataEndpoint } from './metadata-endpoint.ts';

export interface ContainerSource {
  readonly type: 'container';
  /** Stands in for the agent of ECS; null means its own address. */
  readonly endpoint: string | null;
}

const fields = {
  type: kind('container', 'The role of the ECS task or EKS pod, as AWS_CONTAINER_CREDENTIALS_* point to it'),
  endpoint: metadataEndpoint(null, 'Instead of http://169.254.170.2, for tests'),
};

export const container: SourcePolicy<typeof fields, ContainerSource> = {
  type: 'container',
  fields,
  holds: 'keys',
  roleSession: true,
  normalise: (raw) => ({ type: raw.type, endpoint: raw.endpoint ?? null }),
  label: (source) => source.type,
};
