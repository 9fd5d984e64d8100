/** Provider fields with nulls for what the map leaves out, and absolute paths. */
import { resolve } from 'node:path';
import type { AwsStsConfig, ProviderConfig, Source } from './capability.ts';
import type { RawCapability } from './schema.ts';

type RawAws = Extract<RawCapability, { provider: 'aws-sts' }>;

export function normaliseProvider(raw: RawCapability, dir: string): ProviderConfig {
  if (raw.provider === 'aws-sts') return normaliseAws(raw, dir);
  return { provider: raw.provider, audience: raw.audience, scope: raw.scope, subject: raw.subject ?? null };
}

function normaliseAws(raw: RawAws, dir: string): AwsStsConfig {
  return {
    provider: raw.provider,
    roleArn: raw.role_arn,
    region: raw.region,
    endpoint: raw.endpoint ?? null,
    caFile: absolute(raw.ca_file, dir),
    source: normaliseSource(raw.source, dir),
    scope: raw.scope.map(({ actions, resources, broad }) => ({
      actions,
      resources,
      broad: broad === 'allow',
    })),
    externalId: raw.external_id ?? null,
    sourceIdentity: raw.source_identity ?? null,
    sessionTags: raw.session_tags ?? {},
  };
}

function normaliseSource(raw: RawAws['source'], dir: string): Source {
  switch (raw.type) {
    case 'profile':
      return {
        type: raw.type,
        profile: raw.profile,
        configFile: absolute(raw.config_file, dir),
        credentialsFile: absolute(raw.credentials_file, dir),
        longLived: raw.long_lived === 'allow',
      };
    case 'env':
      return { type: raw.type, longLived: raw.long_lived === 'allow' };
    case 'web-identity-file':
    case 'token-file':
      return { type: raw.type, path: resolve(dir, raw.path), audience: raw.audience ?? null };
    case 'token-env':
      return { type: raw.type, variable: raw.variable, audience: raw.audience ?? null };
    case 'github-actions':
      return { type: raw.type, audience: raw.audience ?? null };
  }
}

function absolute(path: string | undefined, dir: string): string | null {
  return path === undefined ? null : resolve(dir, path);
}
