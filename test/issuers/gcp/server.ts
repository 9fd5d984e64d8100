/**
 * Google's Security Token Service, IAM Credentials API and a bit of Cloud Storage, on loopback: they check what the real
 * ones are documented to check, and refuse what they do not know.
 */
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { type Call, Refusal, reply } from '../call.ts';
import { IssuedCredentials } from '../issued.ts';
import { startIssuer, type TestIssuer } from '../kit.ts';
import {
  ACCOUNT,
  AUDIENCE,
  type BoundaryRule,
  boundaryIn,
  CLOUD_PLATFORM,
  FORM,
  lifeIn,
  verify,
} from './checks.ts';

/** An access token as the server knows it. */
interface Token {
  readonly expiresAt: Date;
  /** `principal://...` of the pool, or a service account's email. */
  readonly principal: string;
  readonly scope: readonly string[];
  readonly boundary: readonly BoundaryRule[] | null;
}

interface Account {
  disabled: boolean;
  /** Who may issue its tokens: subjects of the pool, and accounts. */
  readonly issuers: readonly string[];
  /** Longest life in seconds. */
  readonly maxLife: number;
}

export interface GcpServerOptions {
  readonly issuer: string;
  readonly jwks: JSONWebKeySet;
  readonly accounts?: Readonly<Record<string, Partial<Account>>>;
  /** The attribute condition of the provider. */
  readonly condition?: (claims: JWTPayload) => boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface GcpServer extends TestIssuer {
  live(): number;
  /** What a token is, while it works. */
  find(token: string): Token | null;
  account(email: string): Account;
  /** Fields that replace those of the next answers, by route; null leaves a field out. */
  rewrite(route: 'token' | 'generate', fields: Readonly<Record<string, unknown>>): void;
}

const SUBJECT = 'repo:acme/web-app:ref:refs/heads/main';
const URN = 'urn:ietf:params:oauth:';
const POOL = AUDIENCE.replace(/^\/\/|\/providers\/.*$/g, '');

/** The principal of a pool's identity. */
export const principalOf = (subject: string) => `principal://${POOL}/subject/${subject}`;

export async function startGcpServer(options: GcpServerOptions): Promise<GcpServer> {
  const accounts = new Map<string, Account>();
  for (const [email, facts] of Object.entries(options.accounts ?? { [ACCOUNT]: {} }))
    accounts.set(email, { disabled: false, issuers: [principalOf(SUBJECT)], maxLife: 3600, ...facts });
  const rewrites = new Map<string, Readonly<Record<string, unknown>>>();
  const rewritten = (route: string, body: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries({ ...body, ...rewrites.get(route) }).filter(([, value]) => value !== null),
    );
  let tokens!: IssuedCredentials<Token>;

  const works = (found: Token | null) =>
    found !== null && accounts.get(found.principal)?.disabled !== true ? found : null;

  const server = await startIssuer({
    ...(options.tls && { tls: options.tls }),
    error: (status, code, message) =>
      /^[A-Z_]+$/.test(code)
        ? { error: { code: status, message, status: code, details: [] } }
        : { error: code, error_description: message },
    routes: (issuer) => {
      tokens = new IssuedCredentials(issuer.now);
      const hand = (call: Call, facts: Omit<Token, 'expiresAt'>, seconds: number) => {
        const extra = call.misbehaves('longer_than_asked') ? 3600 : 0;
        const life = call.misbehaves('expired_on_arrival') ? -5 : seconds + extra;
        const token = issuer.secret('ya29.');
        const expiresAt = new Date(issuer.now().getTime() + life * 1000);
        tokens.add(token, { ...facts, expiresAt });
        return { shown: call.misbehaves('value_with_newline') ? `${token}\n` : token, expiresAt, life };
      };
      const answerToken = (token: { readonly shown: string; readonly life: number }) =>
        reply(
          200,
          rewritten('token', {
            access_token: token.shown,
            issued_token_type: `${URN}token-type:access_token`,
            token_type: 'Bearer',
            expires_in: token.life,
          }),
          { 'cache-control': 'no-store' },
        );

      return [
        {
          name: 'token',
          method: 'POST',
          path: '/v1/token',
          async handle(call) {
            if (call.headers.authorization !== undefined)
              throw new Refusal(400, 'invalid_request', 'no Authorization header may be sent');
            const form = call.form(FORM);
            if (form['grant_type'] !== `${URN}grant-type:token-exchange`)
              throw new Refusal(400, 'unsupported_grant_type');
            if (form['requested_token_type'] !== `${URN}token-type:access_token`)
              throw new Refusal(400, 'invalid_request', 'requested_token_type');
            if (form['subject_token_type'] === `${URN}token-type:access_token`)
              return answerToken(downscope(call, form));
            if (form['subject_token_type'] !== `${URN}token-type:jwt` || form['options'] !== undefined)
              throw new Refusal(400, 'invalid_request', 'subject_token_type or options');
            const claims = await verify(options, form, issuer.now());
            if (options.condition && !options.condition(claims))
              throw new Refusal(400, 'unauthorized_client', 'rejected by the attribute condition');
            const scope = (form['scope'] ?? '').split(' ');
            if (!scope.every((one) => one.startsWith('https://'))) throw new Refusal(400, 'invalid_scope');
            const principal = principalOf(claims.sub ?? '');
            return answerToken(hand(call, { principal, scope, boundary: null }, 3600));
          },
        },
        {
          name: 'generate',
          method: 'POST',
          path: /\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken/,
          handle(call) {
            const caller = works(tokens.find(call.bearer()));
            if (caller === null) throw new Refusal(401, 'UNAUTHENTICATED');
            const email = decodeURIComponent(call.match[1] ?? '');
            const body = call.json(['scope', 'lifetime', 'delegates']);
            const account = accounts.get(email);
            if (account === undefined) throw new Refusal(404, 'NOT_FOUND');
            if (!caller.scope.includes(CLOUD_PLATFORM)) throw new Refusal(403, 'PERMISSION_DENIED', 'scope');
            assertChain(caller.principal, email, body['delegates'] ?? []);
            if (account.disabled) throw new Refusal(400, 'FAILED_PRECONDITION');
            const seconds = lifeIn(body['lifetime'], account);
            const scope = body['scope'];
            if (!Array.isArray(scope) || scope.length === 0)
              throw new Refusal(400, 'INVALID_ARGUMENT', 'scope');
            const { shown, expiresAt } = hand(call, { principal: email, scope, boundary: null }, seconds);
            return reply(
              200,
              rewritten('generate', { accessToken: shown, expireTime: expiresAt.toISOString() }),
            );
          },
        },
        {
          name: 'objects',
          method: 'GET',
          path: /\/storage\/v1\/b\/([a-z0-9.-]+)\/o/,
          handle(call) {
            call.query([
              'alt',
              'delimiter',
              'fields',
              'includeFoldersAsPrefixes',
              'maxResults',
              'projection',
              'prefix',
            ]);
            const token = works(tokens.find(call.bearer()));
            if (token === null) throw new Refusal(401, 'UNAUTHENTICATED');
            const bucket = `//storage.googleapis.com/projects/_/buckets/${call.match[1]}`;
            const inside = token.boundary?.some((rule) => rule.availableResource === bucket) ?? true;
            if (!inside) throw new Refusal(403, 'PERMISSION_DENIED', 'outside the boundary');
            return reply(200, { kind: 'storage#objects', items: [] });
          },
        },
      ];

      function downscope(call: Call, form: Readonly<Record<string, string>>) {
        if (form['audience'] !== undefined || form['scope'] !== undefined)
          throw new Refusal(400, 'invalid_request', 'audience and scope are of no use here');
        const source = works(tokens.find(form['subject_token'] ?? null));
        if (source === null) throw new Refusal(400, 'invalid_grant', 'the subject token is not active');
        if (!accounts.has(source.principal)) throw new Refusal(400, 'invalid_request', 'no service account');
        const boundary = boundaryIn(form['options'] ?? '');
        const life = Math.floor((source.expiresAt.getTime() - issuer.now().getTime()) / 1000);
        return hand(call, { ...source, boundary }, life);
      }
    },
  });

  /** Each of the chain may issue tokens for the next. */
  function assertChain(principal: string, email: string, delegates: unknown): void {
    if (!Array.isArray(delegates)) throw new Refusal(400, 'INVALID_ARGUMENT', 'delegates');
    let holder = principal;
    for (const name of [...delegates, `projects/-/serviceAccounts/${email}`]) {
      const next = /^projects\/-\/serviceAccounts\/([^/]+)$/.exec(String(name))?.[1] ?? '';
      if (!accounts.get(next)?.issuers.includes(holder)) throw new Refusal(403, 'PERMISSION_DENIED');
      holder = next;
    }
  }

  return Object.assign(server, {
    live: () => tokens.live(),
    find: (token: string) => works(tokens.find(token)),
    account(email: string) {
      const account = accounts.get(email);
      if (account === undefined) throw new Error(`no account ${email}`);
      return account;
    },
    rewrite: (route: string, fields: Readonly<Record<string, unknown>>) => void rewrites.set(route, fields),
  });
}
