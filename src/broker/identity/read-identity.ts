/** Who runs this, as a CI system has signed it: for rules that take no less. */
import { CapwrapError } from '../../errors.ts';
import type { Source } from '../../policy/sources/index.ts';
import { sourceLabel } from '../../policy/sources/index.ts';
import type { Identity } from '../../request/verified.ts';
import type { BrokerContext } from '../provider.ts';
import { requestGitHubToken } from '../sources/github-actions.ts';
import { readSource } from '../sources/read-source.ts';
import { factsIn } from './claims.ts';
import { type ExpectedToken, verifyIdToken } from './verify-id-token.ts';

/** The issuer of GitHub's own runners; GitHub Enterprise Server has another, which the map names. */
const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

/** A token for facts is for capwrap alone: no other service takes it. */
const FACTS_AUDIENCE = 'capwrap';

/** How long all of it may take. */
const TIMEOUT_MS = 12_000;

/**
 * Reads a token and checks it. The token is the one of the capability's source, or, where it has none that is a token,
 * that of the GitHub Actions job that this runs in. Whose signature counts is said by the map, or is GitHub's: never by
 * the token or a variable. Never throws: a failure is part of what is known.
 */
export async function readIdentity(
  sources: readonly Source[],
  context: Omit<BrokerContext, 'signal'>,
): Promise<Identity> {
  try {
    const found = await readToken(sources, { ...context, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { claims: factsIn(found.payload), from: `OIDC token of ${found.issuer}` };
  } catch (error) {
    return { failure: error instanceof CapwrapError ? error.message : 'unexpected failure' };
  }
}

type TokenSource = Extract<
  Source,
  { type: 'github-actions' | 'token-env' | 'token-file' | 'web-identity-file' }
>;

async function readToken(sources: readonly Source[], context: BrokerContext) {
  const source = sources.find(isToken) ?? ({ type: 'github-actions', audience: null } as const);
  const { token, expected } =
    source.type === 'github-actions' ? await gitHubToken(source, context) : await otherToken(source, context);
  return { payload: await verifyIdToken(token, expected, context), issuer: expected.issuer };
}

interface Found {
  readonly token: string;
  readonly expected: ExpectedToken;
}

async function gitHubToken(
  source: Extract<TokenSource, { type: 'github-actions' }>,
  context: BrokerContext,
): Promise<Found> {
  const { token } = await requestGitHubToken({ ...source, audience: FACTS_AUDIENCE }, context);
  return { token, expected: { issuer: source.issuer ?? GITHUB_ISSUER, audience: FACTS_AUDIENCE } };
}

async function otherToken(
  source: Exclude<TokenSource, { type: 'github-actions' }>,
  context: BrokerContext,
): Promise<Found> {
  const { issuer, audience } = source;
  if (issuer === undefined || audience === null) {
    const missing = issuer === undefined ? 'issuer' : 'audience';
    throw new CapwrapError(
      'ERR_SOURCE_INVALID',
      `source "${sourceLabel(source)}" names no ${missing} in the map`,
    );
  }
  const proof = await readSource(source, context);
  if (proof.kind !== 'token')
    throw new CapwrapError('ERR_INTERNAL', `source "${proof.label}" holds no token`);
  return { token: proof.token, expected: { issuer, audience } };
}

const TOKEN_TYPES: readonly string[] = ['github-actions', 'token-env', 'token-file', 'web-identity-file'];

function isToken(source: Source): source is TokenSource {
  return TOKEN_TYPES.includes(source.type);
}
