/** Source `github-actions`: the OIDC token of a job. */
import { kind } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { audience, issuer, issuerOf } from './fields.ts';

export interface GitHubActionsSource {
  readonly type: 'github-actions';
  readonly audience: string | null;
  /** Whose signature makes the claims verified facts; missing where the map names nobody. */
  readonly issuer?: string;
}

const fields = { type: kind('github-actions', 'The OIDC token of a GitHub Actions job'), audience, issuer };

export const githubActions: SourcePolicy<typeof fields, GitHubActionsSource> = {
  type: 'github-actions',
  fields,
  holds: 'token',
  normalise: (raw) => ({ type: raw.type, audience: raw.audience ?? null, ...issuerOf(raw) }),
  label: (source) => source.type,
};
