/** Fields of the provider `oauth2`: RFC 6749, 7009, 7523, 7662, 8414, 8693, 8705 and 8707. */
import * as v from 'valibot';
import {
  duration,
  keys,
  kind,
  line,
  listOf,
  mapping,
  maybe,
  must,
  oneOf,
  path,
  text,
} from '../../schema-fields.ts';
import { sourceOf } from '../../sources/index.ts';

/** What is exchanged: a token that names its holder. */
export const OAUTH2_SOURCES = [
  'github-actions',
  'token-env',
  'token-file',
  'web-identity-file',
  'local-issuer',
] as const;

/** The token types of RFC 8693 section 3 that a run can have, by their last word. */
export const TOKEN_TYPES = ['access_token', 'id_token', 'jwt'] as const;

const endpoint = v.pipe(
  v.string('must be text'),
  v.regex(
    /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?)(?:[/?][^\s#]*)?$/,
    'must be an https URL without user or fragment (http only for loopback)',
  ),
  v.check((url) => URL.canParse(url), 'must be a URL'),
  v.maxLength(2048, 'must not be longer than 2048 characters'),
);

/** RFC 8414 section 2: no query and no fragment. */
const issuer = v.pipe(
  endpoint,
  v.check((url) => !url.includes('?'), 'must be a URL without a query'),
);

/** RFC 6749 appendix A: VSCHAR. */
const clientId = text(/^[ -~]+$/, 'must be printable ASCII', 512);

/** RFC 6749 section 3.3: scope-token. */
const scopeToken = text(/^[!#-[\]-~]+$/, 'must be a scope word without blanks, quotes or backslashes', 256);

const clientAuth = v.variant('type', [
  keys({
    type: kind('private-key-jwt', 'An assertion that is signed with a private key (RFC 7523)'),
    key_file: must(path, 'The private key: PEM, or one JWK'),
    key_id: maybe(line(), "The assertion's `kid`; by default the JWK's own, or none"),
    audience: maybe(line(2048), "The assertion's `aud`; by default the issuer, or the token endpoint"),
  }),
  keys({
    type: kind('mtls', 'A client certificate (RFC 8705)'),
    cert_file: must(path, 'The certificate, and those between it and its root: PEM'),
    key_file: must(path, 'The private key: PEM'),
  }),
  keys({
    type: kind('secret-file', 'A client secret'),
    path: must(path, 'File that holds the secret and nothing else'),
    method: maybe(
      oneOf('basic', 'post'),
      'Where it is sent: in the Authorization header, or in the form. Default basic',
    ),
  }),
  keys({ type: kind('none', 'A public client: the exchanged token is the only proof') }),
]);

export const oauth2Fields = {
  provider: kind('oauth2', 'A token of an OAuth 2.0 server'),
  issuer: maybe(issuer, 'The server, whose endpoints are discovered (RFC 8414, OpenID Connect Discovery)'),
  token_endpoint: maybe(endpoint, 'The token endpoint, in place of issuer'),
  revocation_endpoint: maybe(endpoint, 'Where tokens are revoked (RFC 7009); by default as discovered'),
  introspection_endpoint: maybe(
    endpoint,
    'Where the server says whether a token is active (RFC 7662); by default as discovered',
  ),
  ca_file: maybe(path, 'PEM bundle that replaces the built-in roots for the server'),
  grant: must(
    oneOf('token-exchange', 'client-credentials'),
    "How the token is obtained: for the source's token (RFC 8693), or for the client itself",
  ),
  client_id: maybe(clientId, "The client's name at the server"),
  client_auth: must(mapping(clientAuth, 'How the client shows who it is'), 'How the client shows who it is'),
  source: maybe(
    mapping(sourceOf(OAUTH2_SOURCES), 'The token that is exchanged'),
    'The token that is exchanged; its audience is named here',
  ),
  subject_token_type: maybe(oneOf(...TOKEN_TYPES), 'What kind of token the source holds; default jwt'),
  requested_token_type: maybe(
    oneOf('access_token', 'jwt'),
    'What kind of token is asked for; by default the server chooses between these',
  ),
  audience: maybe(listOf(line(2048)), 'The services that the token is for, as the server names them'),
  resource: maybe(listOf(endpoint), 'The same, by their addresses (RFC 8707)'),
  scope: maybe(
    listOf(scopeToken),
    'What the token may do, one word per entry; the server decides where it is left out',
  ),
  token_audience: maybe(
    listOf(line(2048)),
    'What `aud` of the token may say, where that is not audience or resource',
  ),
  subject: maybe(line(), 'Whom the token must speak for: its `sub`; any by default'),
  token_life: maybe(
    duration,
    'How long the server lets its tokens live, where that is longer than ttl: accepted, and over at the end of the run all the same',
  ),
  ttl_parameter: maybe(
    text(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'must be the name of a parameter', 64),
    'Name of a parameter of this server (not of the standard) that asks for a life in seconds',
  ),
  probe: maybe(
    mapping(
      keys({ url: must(endpoint, 'Answers 2xx to GET with a token that works, 401 with another') }),
      'A resource that shows whether the token works',
    ),
    'A resource that shows whether the token works: asked before and after the end of the lease',
  ),
};
