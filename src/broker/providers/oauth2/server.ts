/**
 * Where the server's endpoints are: as the map says, or as the server itself publishes them (RFC 8414, OpenID Connect
 * Discovery 1.0). Looked up for each lease and kept nowhere.
 */

import type { JsonObject } from '../../../base/json-object.ts';
import { CapwrapError } from '../../../errors.ts';
import type { Oauth2Config } from '../../../policy/providers/oauth2.ts';
import { assertEndpoint, isLoopback } from '../../endpoint.ts';
import { ExchangeError, statusError } from '../../exchange-error.ts';
import { textAt, textsAt } from '../../json-body.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import type { Client } from './client.ts';

export interface Server {
  readonly token: URL;
  /** Null where the server has none, as far as is known. */
  readonly revocation: URL | null;
  readonly introspection: URL | null;
  /** Whom an assertion of the client is for. */
  readonly audience: string;
  /** What the server says it takes as a client's proof; null where it doesn't say. */
  readonly authMethods: readonly string[] | null;
}

/** Throws an ExchangeError, or ERR_PROVIDER_INVALID_RESPONSE for a document that is another server's. */
export async function findServer(
  config: Oauth2Config,
  client: Client,
  ca: string | null,
  context: BrokerContext,
): Promise<Server> {
  const { issuer, tokenEndpoint } = config;
  const named = {
    revocation: urlOf(config.revocationEndpoint),
    introspection: urlOf(config.introspectionEndpoint),
  };
  if (issuer === null) {
    const token = new URL(tokenEndpoint ?? '');
    assertEndpoint(token, 'token_endpoint');
    return { token, ...named, audience: token.href, authMethods: null };
  }
  const found = await discover(new URL(issuer), ca, context);
  assertIssuer(found.document, issuer);
  const at = (name: string) => endpointIn(found.document, name, client, new URL(issuer));
  const token = at('token_endpoint');
  if (token === null)
    throw invalid(issuer, 'publishes no token_endpoint', 'name it in the map: token_endpoint');
  return {
    token,
    revocation: named.revocation ?? at('revocation_endpoint'),
    introspection: named.introspection ?? at('introspection_endpoint'),
    audience: issuer,
    authMethods: textsAt(found.document, 'token_endpoint_auth_methods_supported'),
  };
}

/** RFC 8414 section 3.1: before the issuer's path; OpenID Connect Discovery section 4: behind it. */
export function discoveryUrls(issuer: URL): readonly [URL, URL] {
  const path = issuer.pathname.replace(/\/$/, '');
  return [
    new URL(`/.well-known/oauth-authorization-server${path}`, issuer),
    new URL(`${path}/.well-known/openid-configuration`, issuer),
  ];
}

async function discover(
  issuer: URL,
  ca: string | null,
  context: BrokerContext,
): Promise<{ readonly document: JsonObject }> {
  const [first, second] = discoveryUrls(issuer);
  const answer = (await ask(first, ca, context)) ?? (await ask(second, ca, context));
  if (answer === null) {
    throw invalid(
      issuer.href,
      'publishes no endpoints under /.well-known/',
      'look at issuer, or name token_endpoint, revocation_endpoint and introspection_endpoint in the map',
    );
  }
  if (answer.body === null) throw invalid(issuer.href, 'publishes an empty document', 'look at issuer');
  return { document: answer.body };
}

/** Null where there is no such document. */
async function ask(url: URL, ca: string | null, context: BrokerContext): Promise<JsonAnswer | null> {
  try {
    const answer = await withRetry(
      () => callJson({ url, method: 'GET', ca, context, endpointKey: 'issuer' }),
      context,
    );
    if (answer.status === 200) return answer;
    if (answer.status !== 404) throw statusError(answer, null, 'look at issuer');
    return null;
  } catch (error) {
    if (error instanceof ExchangeError && error.status === 404) return null; // a page
    throw error;
  }
}

/** RFC 8414 section 3.3: identical, or it is another server that would get the credentials. */
function assertIssuer(document: JsonObject, issuer: string): void {
  if (document['issuer'] === issuer) return;
  const slash = document['issuer'] === `${issuer}/` || `${String(document['issuer'])}/` === issuer;
  throw invalid(
    issuer,
    'publishes the endpoints of another issuer',
    slash
      ? 'they differ by a slash at the end: write issuer exactly as the server does'
      : 'write issuer exactly as the server does; if it is, this is not the server that was meant',
  );
}

/** A client with a certificate has endpoints of its own where the server says so (RFC 8705 section 5). */
function endpointIn(document: JsonObject, name: string, client: Client, issuer: URL): URL | null {
  const alias = client.identity === null ? null : textAt(document, 'mtls_endpoint_aliases', name);
  const text = alias ?? textAt(document, name);
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null)
    throw invalid(issuer.href, `publishes a ${name} that is no URL`, `name ${name} in the map`);
  assertEndpoint(url, null);
  if (isLoopback(url) && !isLoopback(issuer)) {
    throw invalid(
      issuer.href,
      `publishes a ${name} on this machine`,
      `look at issuer, or name ${name} in the map`,
    );
  }
  return url;
}

function urlOf(text: string | null): URL | null {
  return text === null ? null : new URL(text);
}

function invalid(issuer: string, what: string, hint: string): CapwrapError {
  const { host } = new URL(issuer);
  return new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', `"${host}" ${what}`, { hint });
}
