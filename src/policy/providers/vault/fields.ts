/**
 * Fields of the provider `vault`.
 * https://developer.hashicorp.com/vault/api-docs, https://openbao.org/api-docs/
 */

import * as v from 'valibot';
import { SERVER_URL, WANTS_SERVER_URL } from '../../../base/server-url.ts';
import { keys, kind, line, listOf, mapping, maybe, must, oneOf, path, text } from '../../schema-fields.ts';
import { longLived } from '../../sources/fields.ts';
import { sourceOf } from '../../sources/index.ts';

/** What the methods `jwt` and `kubernetes` take as proof. */
export const VAULT_SOURCES = ['token-file', 'token-env', 'github-actions'] as const;

const address = v.pipe(
  text(SERVER_URL, WANTS_SERVER_URL),
  v.check((url) => URL.canParse(url), 'must be a URL'),
);

/** Segments that the server takes as they are: none is empty, `.` or `..`. */
const SEGMENTS = String.raw`(?!\.{1,2}(?:\/|$))[\w.@+~-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.@+~-]+)*`;
const pathShape = (inner: string) => new RegExp(`^${inner}$`);

const mount = maybe(
  text(pathShape(SEGMENTS), 'must be the path of an auth method below auth/, such as approle', 256),
  'Where the method is mounted, below auth/; by default its own name',
);

const source = (description: string) => mapping(sourceOf(VAULT_SOURCES), description);

const auth = v.variant('method', [
  keys({
    method: kind('token', 'A token that something else keeps fresh in a file, such as an agent'),
    token_file: must(path, 'File that holds the token and nothing else'),
    long_lived: longLived,
  }),
  keys({
    method: kind('approle', 'AppRole: a role id and a secret id'),
    mount,
    role_id: must(line(), 'The role id; it is not secret'),
    secret_id_file: must(path, 'File that holds the secret id, or the token that wraps it'),
    wrapped_at: maybe(
      text(
        pathShape(String.raw`auth\/${SEGMENTS}\/secret-id`),
        'must be a path such as auth/approle/role/deployer/secret-id',
        512,
      ),
      'The file holds a wrapping token, and this is the path at which the secret id must have been made',
    ),
  }),
  keys({
    method: kind('jwt', 'JWT/OIDC: a signed token of an issuer that Vault trusts'),
    mount,
    role: must(line(), 'The role to log in with'),
    source: must(source('The token shown to Vault'), 'The token shown to Vault'),
  }),
  keys({
    method: kind('kubernetes', 'Kubernetes: the token of a service account'),
    mount,
    role: must(line(), 'The role to log in with'),
    source: maybe(
      source('The token shown to Vault'),
      "The token shown to Vault; by default the pod's own, /var/run/secrets/kubernetes.io/serviceaccount/token",
    ),
  }),
]);

export const vaultFields = {
  provider: kind('vault', 'A dynamic secret of HashiCorp Vault or OpenBao'),
  address: must(address, 'URL of the server; VAULT_ADDR and its like are not looked at'),
  namespace: maybe(
    text(pathShape(String.raw`${SEGMENTS}\/?`), 'must be the path of a namespace, such as admin/team', 256),
    'Namespace of the login, the token and the secret',
  ),
  ca_file: maybe(path, 'PEM bundle that replaces the built-in roots for the server'),
  auth: must(mapping(auth, 'How capwrap logs in'), 'How capwrap logs in'),
  policies: must(
    listOf(text(/^(?!root$)[^\s,"\u0000-\u001f\u007f]+$/, 'must be the name of a policy, and not root', 128)),
    "Policies of the lease's own token, beside default: what it takes to read the secret",
  ),
  path: must(
    text(
      pathShape(String.raw`(?!(?:auth|sys|identity|cubbyhole)\/)${SEGMENTS}`),
      'must be the path of a secret, without /v1/, and none of auth/, sys/, identity/ or cubbyhole/',
      512,
    ),
    'The secret: a role of an engine, such as database/creds/readonly',
  ),
  request: maybe(oneOf('read', 'write'), 'GET or POST; default read'),
  parameters: maybe(
    mapping(
      v.record(
        text(/^[A-Za-z_][\w-]*$/, 'must be the name of a parameter', 128),
        text(/^[^\u0000-\u001f\u007f]*$/, 'must be one line of text', 1024),
      ),
      'Parameters by name',
    ),
    'Parameters of the request, as the engine documents them; never a secret',
  ),
  ttl_parameter: maybe(
    text(/^[A-Za-z_][\w-]*$/, 'must be the name of a parameter', 128),
    'Parameter that gets the granted lifetime in seconds, for engines that take one (ttl of aws/sts, kubernetes/creds)',
  ),
  kv: maybe(
    oneOf('refuse', 'allow'),
    'Whether a secret without a lease (KV) may be handed out, which nothing ends; listed by "capwrap check"',
  ),
};
