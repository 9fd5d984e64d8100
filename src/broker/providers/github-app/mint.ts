/** Minting the token, and what GitHub says that it granted. */
import { createHash } from 'node:crypto';
import { isJsonObject } from '../../../base/json-object.ts';
import { CapwrapError } from '../../../errors.ts';
import { TOKEN_LIFE } from '../../../policy/providers/github-app/check.ts';
import { PERMISSION_LEVELS } from '../../../policy/providers/github-app/fields.ts';
import type { GitHubAppConfig } from '../../../policy/providers/github-app.ts';
import { maybeIssued } from '../../exchange-error.ts';
import { textAt, valueAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { callApi, refusal } from './api.ts';
import type { Installation } from './installation.ts';

export interface Minted {
  readonly token: string;
  /** An invalid date where GitHub said none. */
  readonly expiresAt: Date;
  /** Base64 of its SHA-256: by this GitHub's audit log names it (`hashed_token`). */
  readonly hashedToken: string;
  /** What was granted, in the words in which the policy asks. */
  readonly scope: readonly string[];
  readonly skew: number | null;
}

/** The body of the request: without one of its fields the token would get everything that the installation has. */
export function mintBody({ repositories, permissions }: GitHubAppConfig): Readonly<Record<string, unknown>> {
  return {
    ...(repositories !== 'all' && { repositories: repositories.map((name) => name.split('/')[1]) }),
    ...(permissions !== 'all' && { permissions }),
  };
}

export function mintPath(installationId: string): string {
  return `/app/installations/${installationId}/access_tokens`;
}

/**
 * Asks for the token, once. Throws ERR_PROVIDER_REFUSED, or as `callJson`; where a token may have been issued unseen, the
 * error says so.
 */
export async function mint(
  config: GitHubAppConfig,
  { id, jwt }: Installation,
  context: BrokerContext,
): Promise<Minted> {
  const until = new Date(context.now().getTime() + TOKEN_LIFE * 1000);
  let answer: JsonAnswer;
  try {
    answer = await callApi(config, context, {
      method: 'POST',
      path: mintPath(id),
      bearer: jwt,
      json: mintBody(config),
      secrets: { token: ['token'] },
    });
    if (answer.status !== 201) throw refusal(answer, hintFor(answer.status));
  } catch (error) {
    throw maybeIssued(error, 'a token', until);
  }
  const token = textAt(answer.body, 'token');
  if (token === null) {
    throw new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', `"${answer.who}" answered 201 without a token`, {
      issuedUntil: until,
    });
  }
  return {
    token,
    expiresAt: new Date(textAt(answer.body, 'expires_at') ?? ''),
    hashedToken: createHash('sha256').update(token).digest('base64'),
    scope: [...grantedPermissions(answer.body), ...grantedRepositories(answer.body)],
    skew: answer.skew,
  };
}

function hintFor(status: number): string | undefined {
  if (status === 422)
    return 'the installation lacks one of the repositories or permissions: look at its settings';
  if (status === 403) return 'the installation may be suspended, or closed to this address';
  return undefined;
}

/** `NAME:LEVEL` each; what can't be told stands as `permissions:unknown`, which nobody asks for. */
function grantedPermissions(body: unknown): string[] {
  const granted = valueAt(body, 'permissions');
  if (!isJsonObject(granted)) return ['permissions:unknown'];
  return Object.entries(granted).map(([name, level]) =>
    /^[a-z_]{1,64}$/.test(name) && PERMISSION_LEVELS.some((known) => known === level)
      ? `${name}:${level}`
      : 'permissions:unknown',
  );
}

function grantedRepositories(body: unknown): string[] {
  if (valueAt(body, 'repository_selection') === 'all') return ['repositories:all'];
  const granted = valueAt(body, 'repositories');
  if (!Array.isArray(granted)) return ['repositories:unknown'];
  return granted.map((entry) => {
    const name = textAt(entry, 'full_name') ?? '';
    return /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(name) ? name : 'repositories:unknown';
  });
}
