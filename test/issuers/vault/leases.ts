/** Leases of the test server, and what the engines gave with them. */
import { randomBytes } from 'node:crypto';
import type { TestIssuer } from '../kit.ts';
import type { Token } from './tokens.ts';

export interface VaultLease {
  readonly id: string;
  readonly token: Token;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** When the credential ends at its target if nothing else ends it; the lease's end, but for STS. */
  readonly credentialEnds: Date;
  /** True where the engine has nothing to delete: the credential outlives its lease. */
  readonly outlives: boolean;
  gone: boolean;
  /** Set where the revocation has failed for good. */
  revokeError: string | null;
}

export class Leases {
  readonly #issuer: TestIssuer;
  readonly #all: VaultLease[] = [];
  readonly #queued = new Set<VaultLease>();

  constructor(issuer: TestIssuer) {
    this.#issuer = issuer;
  }

  create(path: string, token: Token, seconds: number, outlives: boolean): VaultLease {
    const issuedAt = this.#issuer.now();
    const expiresAt = new Date(issuedAt.getTime() + seconds * 1000);
    const lease: VaultLease = {
      id: `${path}/${randomBytes(18).toString('base64url')}`,
      token,
      issuedAt,
      expiresAt,
      credentialEnds: expiresAt,
      outlives,
      gone: false,
      revokeError: null,
    };
    this.#all.push(lease);
    return lease;
  }

  find(id: unknown): VaultLease | null {
    return (
      this.#all.find((lease) => lease.id === id && !lease.gone && lease.expiresAt > this.#issuer.now()) ??
      null
    );
  }

  revoke(lease: VaultLease): void {
    lease.gone = true;
  }

  /** Revoking a token only queues its leases: they go a little later. */
  queueOf(token: Token): void {
    for (const lease of this.#all) if (lease.token === token && !lease.gone) this.#queued.add(lease);
  }

  /** Queues a lease; it goes when the queue is worked off. */
  queue(lease: VaultLease): void {
    this.#queued.add(lease);
  }

  workOff(): void {
    for (const lease of this.#queued) lease.gone = true;
    this.#queued.clear();
  }

  /** Credentials that their target takes now; those in the queue count as alive. */
  live(): number {
    const now = this.#issuer.now();
    return this.#all.filter((lease) => lease.credentialEnds > now && (!lease.gone || lease.outlives)).length;
  }
}
