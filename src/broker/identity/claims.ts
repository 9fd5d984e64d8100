/**
 * Claims of CI systems as facts. GitHub: https://docs.github.com/actions/reference/security/oidc ; GitLab:
 * https://docs.gitlab.com/ci/secrets/id_token_authentication/ .
 */
import { isPlainValue } from '../../request/claims.ts';
import type { Identity } from '../../request/verified.ts';

type Claims = Extract<Identity, { claims: unknown }>['claims'];

/** The facts in claims whose signature held. A claim of another form than expected is left out. */
export function factsIn(payload: Readonly<Record<string, unknown>>): Claims {
  const gitlab = payload['project_path'] !== undefined;
  const text = (name: string) => {
    const value = payload[name];
    return typeof value === 'string' && isPlainValue(value) ? value : undefined;
  };
  const facts = {
    repo: text(gitlab ? 'project_path' : 'repository'),
    branch: branchIn(gitlab ? (text('ref_path') ?? bareRef(text('ref'), text('ref_type'))) : text('ref')),
    commit: commitIn(text('sha')),
    environment: text('environment'),
    actor: text(gitlab ? 'user_login' : 'actor'),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** Tags, and what the system merges for a pull request (`refs/pull/7/merge`), are no branches. */
function branchIn(ref: string | undefined): string | undefined {
  return /^refs\/heads\/(.+)$/.exec(ref ?? '')?.[1];
}

function bareRef(ref: string | undefined, type: string | undefined): string | undefined {
  return ref !== undefined && type === 'branch' ? `refs/heads/${ref}` : undefined;
}

function commitIn(sha: string | undefined): string | undefined {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha ?? '') ? sha : undefined;
}
