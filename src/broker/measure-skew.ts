/** The clock of this machine against a server's, learnt from an answer's `Date`. */

/**
 * Seconds that the local clock is ahead of the server's (negative: behind), or null without a usable `Date`. The
 * header counts whole seconds and was written somewhere between sending and receiving, so what comes back is the
 * smallest difference that explains what was seen.
 */
export function measureSkew(date: string | undefined, sentAt: Date, receivedAt: Date): number | null {
  const serverTime = Date.parse(date ?? '');
  if (Number.isNaN(serverTime)) return null;
  const atLeast = sentAt.getTime() - (serverTime + 999);
  const atMost = receivedAt.getTime() - serverTime;
  const skew = atLeast > 0 ? atLeast : Math.min(atMost, 0);
  return Math.round(skew / 1000) || 0;
}
