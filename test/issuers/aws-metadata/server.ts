/** The services beside a machine that hand out keys: EC2's metadata (IMDSv2), the agent of ECS and EKS, the SSO portal. */
import { Refusal, type Reply, reply } from '../call.ts';
import { startIssuer, type TestIssuer } from '../kit.ts';

export interface MetadataOptions {
  /** Null where the instance has no profile. */
  readonly role?: string | null;
  /** What replaces parts of the keys. */
  readonly keys?: Readonly<Record<string, unknown>>;
  /** Seconds that the keys live. */
  readonly life?: number;
}

export interface MetadataServer extends TestIssuer {
  /** The token of the pod, without which the agent answers nothing. */
  readonly podToken: string;
  /** The token of the sign-in, without which the portal answers nothing. */
  readonly ssoToken: string;
}

const text = (status: number, body: string): Reply => ({
  status,
  text: body,
  headers: { 'content-type': 'text/plain' },
});

export async function startMetadata(options: MetadataOptions = {}): Promise<MetadataServer> {
  const { role = 'ci-runner', life = 3600 } = options;
  const tokens = new Set<string>();
  let podToken = '';
  let ssoToken = '';
  const server = await startIssuer({
    routes: (issuer) => {
      const keys = () => ({
        AccessKeyId: 'ASIAQNXAMPLEKEY12345',
        SecretAccessKey: issuer.secret('secret-key-'),
        Token: issuer.secret('session-token-'),
        Expiration: new Date(issuer.now().getTime() + life * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
        ...options.keys,
      });
      const withToken = (value: unknown) => {
        if (!tokens.has(String(value))) throw new Refusal(401, 'unauthorized');
      };
      return [
        {
          name: 'token',
          method: 'PUT',
          path: '/latest/api/token',
          handle(call) {
            call.assertNoBody();
            const life = Number(call.headers['x-aws-ec2-metadata-token-ttl-seconds']);
            if (!(life >= 1 && life <= 21_600) || call.headers['x-forwarded-for'])
              throw new Refusal(400, 'bad_request');
            const token = issuer.secret('imds-');
            tokens.add(token);
            return text(200, token);
          },
        },
        {
          name: 'roles',
          method: 'GET',
          path: '/latest/meta-data/iam/security-credentials/',
          handle(call) {
            withToken(call.headers['x-aws-ec2-metadata-token']);
            if (role === null) throw new Refusal(404, 'not_found');
            return text(200, role);
          },
        },
        {
          name: 'keys',
          method: 'GET',
          path: `/latest/meta-data/iam/security-credentials/${role}`,
          handle(call) {
            withToken(call.headers['x-aws-ec2-metadata-token']);
            return reply(200, { Code: 'Success', Type: 'AWS-HMAC', ...keys() });
          },
        },
        {
          name: 'agent',
          method: 'GET',
          path: /^\/v[12]\/credentials(?:\/[0-9a-f-]+)?$/,
          handle(call) {
            if (call.path === '/v1/credentials' && call.headers.authorization !== podToken)
              throw new Refusal(401, 'unauthorized');
            return reply(200, { RoleArn: 'arn:aws:iam::123456789012:role/task', ...keys() });
          },
        },
        {
          name: 'portal',
          method: 'GET',
          path: '/federation/credentials',
          handle(call) {
            if (call.headers['x-amz-sso_bearer_token'] !== ssoToken)
              throw new Refusal(401, 'UnauthorizedException');
            const { role_name, account_id } = call.query(['role_name', 'account_id']);
            if (role_name !== 'Deployer' || account_id !== '123456789012')
              throw new Refusal(403, 'ForbiddenException');
            const { AccessKeyId, SecretAccessKey, Token, Expiration } = keys();
            return reply(200, {
              roleCredentials: {
                accessKeyId: AccessKeyId,
                secretAccessKey: SecretAccessKey,
                sessionToken: Token,
                expiration: Date.parse(Expiration),
              },
            });
          },
        },
      ];
    },
  });
  podToken = server.secret('pod-token-');
  ssoToken = server.secret('sso-token-');
  return Object.assign(server, { podToken, ssoToken });
}
