/** Tokens of the test server: parents and children, accessors, policies, and who may do what. */
import { randomBytes } from 'node:crypto';
import { type Call, Refusal } from '../call.ts';
import type { TestIssuer } from '../kit.ts';

export interface Token {
  readonly secret: string;
  readonly accessor: string;
  readonly parent: Token | null;
  readonly policies: readonly string[];
  readonly entityId: string;
  readonly type: 'service' | 'batch';
  readonly meta: Readonly<Record<string, string>>;
  readonly path: string;
  readonly displayName: string;
  readonly createdAt: Date;
  /** Null for one without an end. */
  readonly expiresAt: Date | null;
  readonly explicitMaxTtl: number;
  /** 0 for no limit. */
  readonly numUses: number;
  used: number;
  revoked: boolean;
}

/** Paths that a policy opens, by method; `*` at the end stands for any rest. */
export type Policies = Readonly<Record<string, Readonly<Record<string, readonly ('read' | 'update')[]>>>>;

/** As Vault's own `default` has it, as far as it matters here. */
const DEFAULT_POLICY: Policies[string] = {
  'auth/token/lookup-self': ['read'],
  'auth/token/revoke-self': ['update'],
  'sys/leases/lookup': ['update'],
  'sys/leases/renew': ['update'],
};

export class Tokens {
  readonly #issuer: TestIssuer;
  readonly #policies: Policies;
  readonly #namespace: string | null;
  readonly #all: Token[] = [];
  /** Told of each token that is revoked. */
  onRevoke: (token: Token) => void = () => {};

  constructor(issuer: TestIssuer, policies: Policies, namespace: string | null) {
    this.#issuer = issuer;
    this.#policies = { ...policies, default: DEFAULT_POLICY };
    this.#namespace = namespace;
  }

  create(
    facts: Partial<Token> & { readonly policies: readonly string[]; readonly ttl: number | null },
  ): Token {
    const createdAt = this.#issuer.now();
    const { ttl, ...rest } = facts;
    const token: Token = {
      secret: this.#issuer.secret(facts.type === 'batch' ? 'hvb.' : 'hvs.'),
      accessor: facts.type === 'batch' ? '' : randomBytes(18).toString('base64url'),
      parent: null,
      entityId: '',
      type: 'service',
      meta: {},
      path: 'auth/token/create',
      displayName: 'token',
      explicitMaxTtl: 0,
      numUses: 0,
      used: 0,
      createdAt,
      expiresAt: ttl === null ? null : new Date(createdAt.getTime() + ttl * 1000),
      revoked: false,
      ...rest,
    };
    this.#all.push(token);
    return token;
  }

  works(token: Token): boolean {
    const over = token.expiresAt !== null && token.expiresAt <= this.#issuer.now();
    return !token.revoked && !over && (token.parent === null || this.works(token.parent));
  }

  /** What made by logging in or for a lease works now. */
  live(): number {
    return this.#all.filter((token) => token.path !== 'given' && this.works(token)).length;
  }

  revoke(token: Token): void {
    token.revoked = true;
    this.onRevoke(token);
    for (const child of this.#all) if (child.parent === token && !child.revoked) this.revoke(child);
  }

  byAccessor(accessor: unknown): Token {
    const found = this.#all.find(
      (token) => token.accessor === accessor && accessor !== '' && this.works(token),
    );
    if (found === undefined) throw new Refusal(400, 'invalid accessor');
    return found;
  }

  /** Headers that every call needs. */
  assertHeaders(call: Call): void {
    if (call.headers['x-vault-request'] !== 'true') throw new Refusal(412, 'missing X-Vault-Request');
    const given = call.headers['x-vault-namespace'];
    const expected = this.#namespace === null ? undefined : `${this.#namespace}/`;
    if (given !== expected) throw new Refusal(403, 'permission denied');
  }

  /** The token of a call, where its policies allow the call's path. */
  authorize(call: Call): Token {
    this.assertHeaders(call);
    const secret = call.headers['x-vault-token'];
    const token = this.#all.find((one) => one.secret === secret);
    if (token === undefined || !this.works(token))
      throw new Refusal(403, 'permission denied', 'invalid token');
    token.used += 1;
    if (token.numUses > 0 && token.used >= token.numUses) this.revoke(token); // the last use
    const path = call.path.replace('/v1/', '');
    const needed = call.method === 'GET' ? 'read' : 'update';
    if (!this.#allows(token, path, needed)) throw new Refusal(403, 'permission denied');
    return token;
  }

  #allows({ policies }: Token, path: string, needed: 'read' | 'update'): boolean {
    if (policies.includes('root')) return true;
    return policies.some((name) =>
      Object.entries(this.#policies[name] ?? {}).some(
        ([pattern, rights]) =>
          rights.includes(needed) &&
          (pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path),
      ),
    );
  }

  exists(policy: string): boolean {
    return policy in this.#policies;
  }
}
