/** Source `github-actions`: the OIDC token of a job. */
import { kind } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { audience } from './fields.ts';

export interface GitHubActionsSource {
  readonly type: 'github-actions';
  readonly audience: string | null;
}

const fields = { type: kind('github-actions', 'The OIDC token of a GitHub Actions job'), audience };

export const githubActions: SourcePolicy<typeof fields, GitHubActionsSource> = {
  type: 'github-actions',
  fields,
  holds: 'token',
  normalise: (raw) => ({ type: raw.type, audience: raw.audience ?? null }),
  label: (source) => source.type,
};
