/**
 * The token handed out as Compute Engine's metadata server does, which is where Google's client libraries look last.
 * https://cloud.google.com/compute/docs/metadata/querying-metadata
 *
 * The protocol knows no secret: whoever reaches the port may ask. So only processes of this user are answered, where
 * the system tells whose they are. Refusing after the deadline stops new fetches; a token that a client holds goes on
 * until it expires: that is no revocation.
 */
import { type LoopbackReply, type LoopbackRequest, serveLoopback } from '../../loopback-server.ts';
import type { EndpointContext, LocalEndpoints } from '../../provider.ts';

export interface ServedToken {
  readonly token: string;
  readonly expiresAt: Date;
  /** Seconds that this machine's clock is ahead of the issuer's. */
  readonly skew: number;
  /** Email or id of the service account; null for an identity of the pool. */
  readonly account: string | null;
  readonly scope: readonly string[];
  /** Null where the map names none. */
  readonly project: string | null;
}

/** Variables that would keep the libraries from asking: an empty key file, and "there is no metadata server". */
const IN_THE_WAY = ['GOOGLE_APPLICATION_CREDENTIALS', 'NO_GCE_CHECK'];

/** Serves one token until the deadline, and until the child is gone. */
export async function serveMetadata(served: ServedToken, context: EndpointContext): Promise<LocalEndpoints> {
  const server = await serveLoopback((request) => answer(request, served, context));
  return {
    kind: 'metadata_endpoint',
    variables: {
      GCE_METADATA_HOST: server.host,
      GCE_METADATA_IP: server.host, // Node and Python look for the server itself under this one
      GCE_METADATA_ROOT: server.host, // old libraries
      METADATA_SERVER_DETECTION: 'assume-present', // Node
    },
    withoutIsolation: IN_THE_WAY,
    close: () => server.close(),
  };
}

function answer(request: LoopbackRequest, served: ServedToken, context: EndpointContext): LoopbackReply {
  if (!isOurs(request.peerUser())) return refuse(403, 'not a process of this user');
  // As Google's own: a page in a browser or a forwarding proxy sends no such request.
  if (request.headers['metadata-flavor'] !== 'Google')
    return refuse(403, 'Metadata-Flavor: Google is missing');
  if (request.headers['x-forwarded-for'] !== undefined) return refuse(403, 'this came through a proxy');
  const path = request.path.replace(/\/$/, '');
  const [, account, field = ''] = ACCOUNT.exec(path) ?? [];
  if (account !== undefined) {
    if (account !== 'default' && account !== served.account) return refuse(404, 'no such service account');
    return accountAnswer(field, request.query.get('recursive') === 'true', served, context);
  }
  const text = fixedAnswers(served)[path];
  return text === undefined || text === null ? refuse(404, 'not found') : plain(text);
}

const ACCOUNT = /^\/computeMetadata\/v1\/instance\/service-accounts\/([^/]+)(?:\/([a-z]+))?$/;

function fixedAnswers({ account, project }: ServedToken): Readonly<Record<string, string | null>> {
  return {
    '': 'computeMetadata/\n',
    '/computeMetadata': 'v1/\n',
    '/computeMetadata/v1': 'instance/\nproject/\nuniverse/\n',
    '/computeMetadata/v1/instance': 'service-accounts/\n',
    '/computeMetadata/v1/instance/service-accounts': `default/\n${account === null ? '' : `${account}/\n`}`,
    '/computeMetadata/v1/project': project === null ? '' : 'project-id\n',
    '/computeMetadata/v1/project/project-id': project,
    '/computeMetadata/v1/universe': 'universe-domain\n',
    '/computeMetadata/v1/universe/universe-domain': 'googleapis.com',
  };
}

function accountAnswer(
  field: string,
  recursive: boolean,
  served: ServedToken,
  context: EndpointContext,
): LoopbackReply {
  const email = served.account ?? 'default';
  switch (field) {
    case '':
      return recursive
        ? json({ aliases: ['default'], email, scopes: served.scope })
        : plain('aliases\nemail\nscopes\ntoken\n');
    case 'aliases':
      return plain('default\n');
    case 'email':
      return plain(email);
    case 'scopes':
      return plain(`${served.scope.join('\n')}\n`);
    case 'token':
      return tokenAnswer(served, context);
    default:
      return refuse(404, 'not found'); // `identity` among them: the lease is no ID token
  }
}

/** `scopes` of the query is ignored, as on Compute Engine: the token has the scope that it was issued with. */
function tokenAnswer(
  { token, expiresAt, skew }: ServedToken,
  { deadline, now }: EndpointContext,
): LoopbackReply {
  const end = Math.min(deadline.getTime(), expiresAt.getTime() + skew * 1000);
  const left = Math.floor((end - now().getTime()) / 1000);
  if (left <= 0) return refuse(403, 'the lease is over');
  return json({ access_token: token, expires_in: left, token_type: 'Bearer' });
}

/** Where the system does not tell, as on macOS, whoever asks is answered: the lease's warning says so. */
function isOurs(user: number | null): boolean {
  return user === null ? process.platform !== 'linux' : user === process.getuid?.();
}

const HEADERS = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' };

function plain(body: string, status = 200): LoopbackReply {
  return { status, headers: { ...HEADERS, 'content-type': 'application/text' }, body };
}

function json(value: unknown): LoopbackReply {
  return { status: 200, headers: HEADERS, body: JSON.stringify(value) };
}

function refuse(status: number, why: string): LoopbackReply {
  return plain(`${why}\n`, status);
}
