/** What capwrap claims of each kind of credential, and on what grounds. docs/providers.md is made from it. */
import type { ProviderName } from '../policy/capability.ts';
import type { Outcome } from './provider.ts';

export interface Claim {
  readonly credential: string;
  /** Shortest life that the issuer gives; what capwrap adds where that is longer than the grant. */
  readonly shortest: string;
  /** The operation that ends one credential alone; null where the issuer has none. */
  readonly end: string | null;
  /** What is looked at before and after; null where nothing would prove anything. */
  readonly probe: string | null;
  /** The most that a record of such a lease can say. */
  readonly best: Exclude<Outcome, 'not_issued'>;
  /** What another process can do once the run has died: `capwrap leases reap`. */
  readonly reaped: 'ended by its handle' | 'only its expiry ends it' | 'nothing ends it';
  /** What `reaped` takes, where it takes more than the map. */
  readonly reapedWhere?: string;
}

export const CLAIMS: Readonly<Record<ProviderName, readonly Claim[]>> = {
  'aws-sts': [
    {
      credential: 'role session',
      shortest: '900 s; the session policy denies everything from the deadline on',
      end: null,
      probe: null,
      best: 'expires',
      reaped: 'only its expiry ends it',
    },
  ],
  vault: [
    {
      credential: 'dynamic secret with a lease',
      shortest: 'the grant: the lease ends with its token',
      end: '`sys/leases/revoke` with `sync`, then the token of the lease',
      probe: '`sys/leases/lookup`: found before, `invalid lease` after; the token likewise',
      best: 'revoked_verified',
      reaped: 'ended by its handle',
      reapedWhere: 'the login may look up and revoke accessors',
    },
    {
      credential: "the AWS engine's `assumed_role` and `federation_token`",
      shortest: '900 s',
      end: null,
      probe: null,
      best: 'expires',
      reaped: 'only its expiry ends it',
    },
    {
      credential: "the Kubernetes engine's token",
      shortest: '10 min',
      end: '`sys/leases/revoke` with `sync`',
      probe: null,
      best: 'revoked_unverified',
      reaped: 'ended by its handle',
      reapedWhere: 'the login may look up and revoke accessors',
    },
    {
      credential: 'a secret without a lease (KV), refused unless `kv: allow`',
      shortest: 'no end at all',
      end: null,
      probe: null,
      best: 'revoke_failed',
      reaped: 'nothing ends it',
    },
  ],
  gcp: [
    {
      credential: 'federated or impersonated access token',
      shortest: 'a federated token: 1 h, by no choice; a service account’s: the grant',
      end: null,
      probe: null,
      best: 'expires',
      reaped: 'only its expiry ends it',
    },
  ],
  'github-app': [
    {
      credential: 'installation token',
      shortest: '1 h, fixed; it is deleted at the end of the run',
      end: '`DELETE /installation/token`',
      probe: '`GET /rate_limit`: 200 before, 401 after',
      best: 'revoked_verified',
      reaped: 'only its expiry ends it',
    },
  ],
  oauth2: [
    {
      credential: 'access token, of a server that revokes (RFC 7009)',
      shortest: "the server's; longer than the grant only where the map says so",
      end: 'revocation endpoint',
      probe:
        'introspection (RFC 7662): active before, not active after; or a URL of the map: 2xx before, 401 after',
      best: 'revoked_verified',
      reaped: 'only its expiry ends it',
    },
    {
      credential: 'access token, of any other server',
      shortest: 'the same',
      end: null,
      probe: null,
      best: 'expires',
      reaped: 'only its expiry ends it',
    },
  ],
  'local-issuer': [
    {
      credential: 'JWT',
      shortest: 'the grant',
      end: 'entry in the revocation list',
      probe: 'the token checked as a service would: accepted before, refused as revoked after',
      best: 'revoked_verified',
      reaped: 'ended by its handle',
    },
  ],
  command: [
    {
      credential: "what the team's program prints",
      shortest: 'as it says',
      end: 'its `end` program, where the map names one',
      probe: 'its `probe` program, where the map names one',
      best: 'revoked_verified',
      reaped: 'ended by its handle',
      reapedWhere: 'the program printed one and the map names `end`',
    },
  ],
};

/** The table of docs/providers.md. */
export function claimsTable(): string {
  const rows = Object.entries(CLAIMS).flatMap(([provider, claims]) =>
    claims.map((claim) => [
      `\`${provider}\``,
      claim.credential,
      claim.shortest,
      claim.end ?? 'none',
      claim.probe ?? 'none',
      `\`${claim.best}\``,
      claim.reapedWhere ? `${claim.reaped}, where ${claim.reapedWhere}` : claim.reaped,
    ]),
  );
  const head = [
    'provider',
    'credential',
    'shortest life',
    'end at the issuer',
    'shown by',
    'best outcome',
    'after a crash',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
