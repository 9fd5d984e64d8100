/** Provider `oauth2`: a token of an OAuth 2.0 server, by token exchange (RFC 8693) or client credentials (RFC 6749). */
import { CapwrapError } from '../../../errors.ts';
import { TOKEN_VARIABLE } from '../../../policy/providers/descriptor.ts';
import type { Oauth2Config } from '../../../policy/providers/oauth2.ts';
import { sourceLabel } from '../../../policy/sources/index.ts';
import { readCaFile } from '../../ca-file.ts';
import { textAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext, IssueRequest, Lease, Provider } from '../../provider.ts';
import { readSource } from '../../sources/read-source.ts';
import { askToken, tokenForm } from './ask-token.ts';
import { loadClient } from './client.ts';
import { type Granted, judgeAnswer } from './granted.ts';
import { heldFor, hold } from './held.ts';
import { introspect } from './introspect.ts';
import { lookAt } from './look.ts';
import { revokeLease } from './revoke.ts';
import { discoveryUrls, findServer } from './server.ts';
import type { Session } from './session.ts';
import { claimsOf, type Told, toldBy, withoutToken } from './told.ts';

/**
 * How long a token lives is the server's choice: a longer life than the grant's is accepted where the map says so
 * (`token_life`), and the token is revoked at the end of the run all the same, where the server can.
 */
export const oauth2: Provider = {
  issue,
  minimumLife: 0,
  acceptedLife: ({ capability, ttl }) => lifeOf(configOf(capability.config), ttl),
  unseenLife: (config, ttl) => lifeOf(configOf(config), ttl),
  faultOf: (lease) => heldFor(lease).fault,
  end: (lease, context) => revokeLease(heldFor(lease), context),
  probe: (lease, context) => lookAt(heldFor(lease), context),
  // Introspection may answer from a cache (RFC 7662 section 4).
  settling: [250, 500, 1000, 2000],
  preview,
};

async function issue(request: IssueRequest, context: BrokerContext): Promise<Lease> {
  const config = configOf(request.capability.config);
  const life = lifeOf(config, request.ttl);
  const ca = readCaFile(config.caFile);
  const client = loadClient(config, context);
  const server = await findServer(config, client, ca, context);
  const session: Session = { config, client, server, ca };
  const proof = config.source === null ? null : await readSource(config.source, context);
  if (proof !== null && proof.kind !== 'token') {
    throw new CapwrapError('ERR_INTERNAL', `source "${proof.label}" does not fit a token exchange`);
  }
  const until = new Date(context.now().getTime() + life * 1000);
  const answer = await askToken(session, proof?.token ?? null, request.ttl, until, context);

  // A token is there: from here on nothing throws, so that it is ended whatever is wrong with it.
  const value = textAt(answer.body, 'access_token') ?? '';
  const told = await tellAbout(session, value.trim(), answer, context);
  const granted = judgeAnswer(answer, told, config, life);
  return hold(leaseOf(request, config, value, granted), {
    session,
    token: value.trim(),
    refreshToken: textAt(answer.body, 'refresh_token'),
    expiresAt: granted.expiresAt,
    exp: granted.exp,
    fault: granted.fault,
  });
}

/** The token's own claims; and the server's word where the answer leaves something open that has to be known. */
async function tellAbout(
  session: Session,
  token: string,
  answer: JsonAnswer,
  context: BrokerContext,
): Promise<readonly Told[]> {
  const claims = claimsOf(token);
  const told = claims === null ? [] : [claims];
  const endless = (answer.body?.['expires_in'] ?? null) === null && (claims?.exp ?? null) === null;
  const nameless = session.config.subject !== null && (claims?.subject ?? null) === null;
  if (!endless && !nameless) return told;
  try {
    const seen = await introspect(session, token, context);
    return seen?.active ? [...told, withoutToken(toldBy(seen.body), token)] : told;
  } catch {
    return told; // what is not known is a fault of the lease
  }
}

function leaseOf(request: IssueRequest, config: Oauth2Config, token: string, granted: Granted): Lease {
  const { expiresAt, scope, principal, jti, warnings } = granted;
  const expiry = Number.isNaN(expiresAt.getTime()) ? 'unknown' : expiresAt.toISOString();
  return {
    leaseId: request.leaseId,
    provider: 'oauth2',
    values: {
      token: { value: token, secret: true },
      expires_at: { value: expiry, secret: false },
    },
    defaultInject: { [TOKEN_VARIABLE]: 'token' },
    expiresAt,
    principal,
    scope,
    handle: null, // RFC 7009 revokes by the token itself
    facts: {
      ...provenBy(config),
      ...(jti !== null && { jti }),
    },
    warnings,
  };
}

/** By what the token was had: the exchanged one, or a key or secret of the client, which has no end of its own. */
function provenBy({ source, clientAuth }: Oauth2Config): Lease['facts'] {
  if (source !== null) return { source: sourceLabel(source) };
  const path = 'keyFile' in clientAuth ? clientAuth.keyFile : 'path' in clientAuth ? clientAuth.path : null;
  return { source: [clientAuth.type, ...(path === null ? [] : [path])].join(':'), long_lived_source: true };
}

function preview({ capability, ttl }: IssueRequest): Readonly<Record<string, unknown>> {
  const config = configOf(capability.config);
  const { issuer, tokenEndpoint, clientId, clientAuth, source } = config;
  const form = tokenForm(config, ttl);
  const names = [...new Set(form.map(([name]) => name))];
  return {
    ...(issuer === null
      ? { token_endpoint: tokenEndpoint }
      : { issuer, discovery: discoveryUrls(new URL(issuer)).map(({ href }) => href) }),
    ...(clientId !== null && { client_id: clientId }),
    client_auth: clientAuth.type,
    ...(source !== null && { source: sourceLabel(source) }),
    form: Object.fromEntries(
      names.map((name) => {
        const values = form.filter(([one]) => one === name).map(([, value]) => value);
        return [name, values.length === 1 ? values[0] : values];
      }),
    ),
    longest_life_seconds: lifeOf(config, ttl),
    ...(config.probe !== null && { probe: config.probe }),
  };
}

/** Seconds that a token may live. */
function lifeOf({ tokenLife }: Oauth2Config, ttl: number): number {
  return Math.max(ttl, tokenLife ?? 0);
}

function configOf(config: IssueRequest['capability']['config']): Oauth2Config {
  if (config.provider === 'oauth2') return config;
  throw new CapwrapError('ERR_INTERNAL', `"${config.provider}" was handed to another provider's module`);
}
