/**
 * The session handed out over the container credentials protocol, which every AWS SDK speaks:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 *
 * It stops new fetches at the deadline. A client that holds credentials goes on with them: that is no revocation.
 */
import { randomBytes } from 'node:crypto';
import { type LoopbackReply, sameSecret, serveLoopback } from '../../loopback-server.ts';
import type { EndpointContext, LocalEndpoints } from '../../provider.ts';

/** The session as it is handed out; times in RFC 3339, UTC, without fractions. */
export interface HandedOut {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: string;
  readonly roleArn: string;
}

/**
 * Serves one session under a random path, to whoever shows the token of 32 random bytes. SDKs ask again after any
 * refusal (botocore three times, the JavaScript SDK five), so a refusal costs next to nothing and counts for nothing.
 */
export async function serveContainerCredentials(
  session: HandedOut,
  context: EndpointContext,
): Promise<LocalEndpoints> {
  const token = randomBytes(32).toString('base64url');
  context.registerSecret('credentials_endpoint_token', token);
  const path = `/${randomBytes(16).toString('base64url')}`;
  const body = JSON.stringify({
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    Token: session.sessionToken,
    Expiration: session.expiration,
    RoleArn: session.roleArn,
  });
  const server = await serveLoopback((request) => {
    const known = sameSecret(request.headers['authorization'] ?? '', token);
    if (!sameSecret(request.path, path)) return refusal(404, 'NotFound', 'There is nothing here');
    if (!known) return refusal(401, 'AccessDenied', 'The authorization token is missing or wrong');
    if (context.now() >= context.deadline) return refusal(403, 'ExpiredToken', 'The lease is over');
    return { status: 200, body };
  });
  return {
    kind: 'credentials_endpoint',
    variables: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${server.host}${path}`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
    },
    close: () => server.close(),
  };
}

function refusal(status: number, Code: string, Message: string): LoopbackReply {
  return { status, body: JSON.stringify({ Code, Message }) };
}
