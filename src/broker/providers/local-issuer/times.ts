/** The issuer's three spans of time, in seconds. */

/** Longest life of a token. A retired key stays published for this long, so it bounds what `issue` accepts. */
export const MAX_TOKEN_LIFE = 24 * 3600;

/** What a check of `exp` and `nbf` forgives, for clocks that differ a little. */
export const LEEWAY = 5;

/** How long an expired token stays listed, so that a service with a generous leeway of its own still sees it revoked. */
export const KEPT_AFTER_EXPIRY = 300;

/** A point in time as Unix seconds, rounded down. */
export function unixSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
