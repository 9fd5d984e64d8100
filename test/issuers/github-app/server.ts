/** GitHub's REST API as far as an app needs it, and a git repository over HTTPS that takes the app's tokens. */
import { randomBytes, verify } from 'node:crypto';
import { type Call, Refusal, type Reply, reply } from '../call.ts';
import { IssuedCredentials } from '../issued.ts';
import { type Route, startIssuer, type TestIssuer } from '../kit.ts';
import {
  APP_ID,
  APP_KEY,
  APP_PEM,
  APP_SLUG,
  CLIENT_ID,
  INSTALLATION_ID,
  OWNER,
  PERMISSIONS,
  REPOSITORIES,
} from './app.ts';

export interface GitHubOptions {
  /** `ghs_` with a JWT behind it, of some 520 characters, or with 36 letters. */
  readonly tokens?: 'long' | 'short';
  /** How many requests a new token is refused for, since not all of GitHub knows it. */
  readonly early?: number;
  /** A server of one's own has no rate limit where nobody has set one. */
  readonly rateLimit?: boolean;
  /** Path before all others: `/api/v3` of a server of one's own. */
  readonly prefix?: string;
  /** In place of what the installation has. */
  readonly installation?: Readonly<Record<string, unknown>>;
  /** In place of what the answer says of a token. */
  readonly minted?: Readonly<Record<string, unknown>>;
  /** A repository that is asked for by its old name. */
  readonly renamed?: string;
}

export interface GitHubServer extends TestIssuer {
  /** What `api_url` is to be. */
  readonly apiUrl: string;
  /** Tokens that work. */
  live(): number;
  /** The token that was issued last. */
  lastToken(): string;
}

interface Token {
  readonly expiresAt: Date;
  readonly permissions: Readonly<Record<string, string>>;
  readonly repositories: readonly string[];
}

const LEVELS = ['read', 'write', 'admin'];
/** Bad credentials in a row before an address is refused. */
const MANY = 10;
export const REFS = `${'a'.repeat(40)}\trefs/heads/main\n`;

export async function startGitHub(options: GitHubOptions = {}): Promise<GitHubServer> {
  const { prefix = '', rateLimit = true } = options;
  let last = '';
  let bad = 0;
  let issued: IssuedCredentials<Token> | undefined;
  const early = new Map<string, number>();

  const server = await startIssuer({
    error: (status, _code, message) => ({
      message,
      documentation_url: 'https://docs.github.com/rest',
      status: String(status),
    }),
    routes: (issuer) => {
      const tokens = new IssuedCredentials<Token>(issuer.now);
      issued = tokens;
      issuer.keep(APP_PEM);

      const badCredentials = () => {
        bad += 1;
        return new Refusal(401, 'unauthorized', 'Bad credentials');
      };

      /** What every request needs. */
      const assertSound = (call: Call) => {
        if (bad >= MANY) throw new Refusal(403, 'forbidden', 'Maximum number of login attempts exceeded');
        if (!call.headers['user-agent'])
          throw new Refusal(403, 'forbidden', 'Request forbidden by administrative rules');
        if (call.headers.accept !== 'application/vnd.github+json')
          throw new Refusal(415, 'unsupported', 'accept');
        if (call.headers['x-github-api-version'] !== '2022-11-28')
          throw new Refusal(400, 'bad_version', 'version');
      };

      const assertApp = (call: Call) => {
        assertSound(call);
        const jwt = call.bearer();
        if (jwt === null) throw new Refusal(401, 'unauthorized', 'A JSON web token could not be decoded');
        issuer.keep(jwt);
        const [header = '', claims = '', signature = ''] = jwt.split('.');
        const { alg } = decode(header);
        const { iss, iat, exp } = decode(claims);
        const known = iss === APP_ID || iss === CLIENT_ID;
        if (!known) throw new Refusal(404, 'not_found', 'Integration not found');
        const signed = Buffer.from(`${header}.${claims}`);
        if (alg !== 'RS256' || !verify('RSA-SHA256', signed, APP_KEY, Buffer.from(signature, 'base64url')))
          throw new Refusal(401, 'unauthorized', 'A JSON web token could not be decoded');
        const now = issuer.now().getTime() / 1000;
        if (!Number.isInteger(iat) || iat > now)
          throw new Refusal(
            401,
            'unauthorized',
            "'Issued at' claim ('iat') must be an Integer representing the time",
          );
        if (!Number.isInteger(exp) || exp <= now || exp > now + 600)
          throw new Refusal(401, 'unauthorized', "'Expiration time' claim ('exp') is too far in the future");
      };

      const assertToken = (call: Call): Token => {
        assertSound(call);
        const bearer = call.bearer();
        const left = early.get(bearer ?? '') ?? 0;
        if (left > 0) {
          early.set(bearer ?? '', left - 1);
          throw badCredentials();
        }
        const token = tokens.find(bearer);
        if (token === null) throw badCredentials();
        bad = 0;
        return token;
      };

      const installation = (call: Call): Reply => {
        call.query();
        return reply(200, {
          id: Number(INSTALLATION_ID),
          app_id: Number(APP_ID),
          client_id: CLIENT_ID,
          app_slug: APP_SLUG,
          account: { login: call.misbehaves('wrong_principal') ? 'mallory' : OWNER },
          repository_selection: 'selected',
          permissions: PERMISSIONS,
          suspended_at: null,
          ...options.installation,
        });
      };

      const newToken = () => {
        if (options.tokens === 'short') return issuer.keep(`ghs_${randomBytes(18).toString('hex')}`);
        const part = (length: number) => randomBytes(length).toString('base64url');
        return issuer.keep(`ghs_${APP_ID}_${part(27)}.${part(93)}.${part(256)}`);
      };

      const route = (name: string, method: string, path: RegExp, handle: Route['handle']): Route => ({
        name,
        method,
        path: new RegExp(`^${prefix}${path.source}$`),
        handle,
      });

      return [
        route('installation', 'GET', /\/repos\/([\w.-]+)\/([\w.-]+)\/installation/, (call) => {
          assertApp(call);
          const [, owner, name = ''] = call.match;
          if (`${owner}/${name}` === options.renamed)
            return reply(
              301,
              { message: 'Moved Permanently' },
              { location: `${issuer.url}/repositories/1/installation` },
            );
          const found = owner === OWNER && REPOSITORIES.some((each) => each === name);
          if (!found) throw new Refusal(404, 'not_found', 'Not Found');
          return installation(call);
        }),
        route('installation', 'GET', /\/app\/installations\/(\d+)/, (call) => {
          assertApp(call);
          if (call.match[1] !== INSTALLATION_ID) throw new Refusal(404, 'not_found', 'Not Found');
          return installation(call);
        }),
        route('token', 'POST', /\/app\/installations\/(\d+)\/access_tokens/, (call) => {
          assertApp(call);
          if (call.match[1] !== INSTALLATION_ID) throw new Refusal(404, 'not_found', 'Not Found');
          if (options.installation?.['suspended_at'])
            throw new Refusal(403, 'forbidden', 'This installation has been suspended');
          const asked = call.json(['repositories', 'repository_ids', 'permissions']);
          const repositories = repositoriesOf(asked['repositories']);
          const permissions = { ...permissionsOf(asked['permissions']), metadata: 'read' };
          const extra = call.misbehaves('longer_than_asked') ? 3600 : 0;
          const life = call.misbehaves('expired_on_arrival') ? -5 : 3600 + extra;
          const expiresAt = new Date(issuer.now().getTime() + life * 1000);
          const token = newToken();
          last = token;
          tokens.add(token, { expiresAt, permissions, repositories });
          early.set(token, options.early ?? 0);
          const wider = call.misbehaves('wider_than_asked') ? { contents: 'write' } : {};
          return reply(201, {
            token: call.misbehaves('value_with_newline') ? `${token}\n` : token,
            expires_at: expiresAt.toISOString().replace('.000', ''),
            permissions: { ...permissions, ...wider },
            repository_selection: asked['repositories'] === undefined ? 'all' : 'selected',
            ...(asked['repositories'] !== undefined && {
              repositories: repositories.map((name) => ({ id: 1, name, full_name: `${OWNER}/${name}` })),
            }),
            ...options.minted,
          });
        }),
        route('revoke', 'DELETE', /\/installation\/token/, (call) => {
          call.assertNoBody();
          assertToken(call);
          if (call.misbehaves('revoke_fails')) throw new Refusal(502, 'bad_gateway', 'Server Error');
          if (!call.misbehaves('still_alive')) tokens.revoke(call.bearer() ?? '');
          return reply(204);
        }),
        route('probe', 'GET', /\/rate_limit/, (call) => {
          call.query();
          assertToken(call);
          if (!rateLimit) throw new Refusal(404, 'not_found', 'Rate limiting is not enabled.');
          return reply(200, { resources: {}, rate: { limit: 5000, remaining: 4999 } });
        }),
        route('repositories', 'GET', /\/installation\/repositories/, (call) => {
          call.query(['per_page']);
          const { repositories } = assertToken(call);
          return reply(200, { total_count: repositories.length, repositories: [] });
        }),
        {
          name: 'git',
          method: 'GET',
          path: /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/(info\/refs|HEAD)$/,
          handle(call) {
            call.query(['service']);
            const [user, password = ''] = call.basic() ?? [];
            const token = tokens.find(password);
            const [, owner, name = '', what] = call.match;
            if (user !== 'x-access-token' || token === null)
              throw new Refusal(401, 'unauthorized', 'sign in', {
                'www-authenticate': 'Basic realm="GitHub"',
              });
            if (owner !== OWNER || !token.repositories.includes(name)) throw new Refusal(404, 'not_found');
            return { status: 200, text: what === 'HEAD' ? 'ref: refs/heads/main\n' : REFS };
          },
        },
      ];
    },
  });
  return Object.assign(server, {
    apiUrl: `${server.url}${prefix}`,
    live: () => issued?.live() ?? 0,
    lastToken: () => last,
  });
}

function repositoriesOf(asked: unknown): readonly string[] {
  if (asked === undefined) return REPOSITORIES;
  if (!Array.isArray(asked) || asked.length > 500) throw new Refusal(422, 'invalid', 'repositories');
  const known = asked.every((name) => REPOSITORIES.some((each) => each === name));
  if (!known) {
    const message =
      'There is at least one repository that does not exist or is not accessible to the parent installation.';
    throw new Refusal(422, 'invalid', message);
  }
  return asked as readonly string[];
}

function permissionsOf(asked: unknown): Readonly<Record<string, string>> {
  if (asked === undefined) return PERMISSIONS;
  const entries = Object.entries(asked as Readonly<Record<string, string>>);
  const given = entries.every(
    ([name, level]) =>
      LEVELS.includes(level) && LEVELS.indexOf(level) <= LEVELS.indexOf(PERMISSIONS[name] ?? ''),
  );
  if (!given) {
    throw new Refusal(422, 'invalid', 'The permissions requested are not granted to this installation.');
  }
  return Object.fromEntries(entries);
}

function decode(part: string) {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    throw new Refusal(401, 'unauthorized', 'A JSON web token could not be decoded');
  }
}
