/** What a source shows to an issuer. Read right before the exchange, used once, kept nowhere. */

/** Keys that sign a request. */
export interface KeyProof {
  readonly kind: 'keys';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** True where the key has no end of its own and the map allows that by name. */
  readonly longLived: boolean;
  /** The source in one word, for records and messages: `profile:agent-base`. */
  readonly label: string;
}

/** A signed token (JWT) that names its holder. */
export interface TokenProof {
  readonly kind: 'token';
  readonly token: string;
  /** Claims as read, not verified: the issuer does that. They are not secret. */
  readonly claims: TokenClaims;
  readonly label: string;
}

export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
}

export type Proof = KeyProof | TokenProof;
