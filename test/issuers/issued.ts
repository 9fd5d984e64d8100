/** The credentials that a test server has handed out. */

export interface Issued {
  /** When it stops working, whatever happens. */
  readonly expiresAt: Date;
}

/** Credentials by their secret value, as a server keeps them. */
export class IssuedCredentials<T extends Issued> {
  readonly #now: () => Date;
  readonly #all = new Map<string, T & { revoked: boolean }>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  add(secret: string, facts: T): void {
    this.#all.set(secret, { ...facts, revoked: false });
  }

  /** The facts of a credential that works; null for one that is unknown, revoked or over. */
  find(secret: string | null): T | null {
    const found = this.#all.get(secret ?? '');
    return found !== undefined && this.#works(found) ? found : null;
  }

  /** True where it was there to be revoked. */
  revoke(secret: string): boolean {
    const found = this.#all.get(secret);
    if (found === undefined) return false;
    found.revoked = true;
    return true;
  }

  /** How many work. */
  live(): number {
    return [...this.#all.values()].filter((one) => this.#works(one)).length;
  }

  #works({ revoked, expiresAt }: T & { revoked: boolean }): boolean {
    return !revoked && expiresAt > this.#now();
  }
}
