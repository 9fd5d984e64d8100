/**
 * The token by which the app speaks for itself.
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 */
import { type KeyObject, sign } from 'node:crypto';

/** Seconds by which it is dated back, so that it is not from the future for a server whose clock is behind. */
const BACK = 60;
/** Seconds from now until it ends; GitHub takes at most 600. */
const AHEAD = 540;

/** A JWT for the app, signed with RS256, for nine minutes from `now`, which is by the server's clock. */
export function appJwt(appId: string, key: KeyObject, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const header = encode({ alg: 'RS256', typ: 'JWT' });
  const claims = encode({ iat: seconds - BACK, exp: seconds + AHEAD, iss: appId });
  const signature = sign('RSA-SHA256', Buffer.from(`${header}.${claims}`), key);
  return `${header}.${claims}.${signature.toString('base64url')}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
