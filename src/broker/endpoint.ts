/** Which addresses a credential may be sent to, or come from. */
import { CapwrapError } from '../errors.ts';

/** True for hosts that never leave this machine, where plain HTTP exposes nothing to a network. */
export function isLoopback({ hostname }: Pick<URL, 'hostname'>): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** True where nobody on the way can read or alter what is exchanged: https, or http on this machine. */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

/**
 * Throws ERR_MAP_INVALID (or ERR_PROVIDER_INVALID_RESPONSE for an address that the map doesn't name) unless the URL is
 * https, or http on this machine, without a user name, password or fragment.
 */
export function assertEndpoint(url: URL, endpointKey: string | null): void {
  const code = endpointKey === null ? 'ERR_PROVIDER_INVALID_RESPONSE' : 'ERR_MAP_INVALID';
  const subject = endpointKey === null ? `address at "${url.host}"` : `"${endpointKey}"`;
  const refuse = (what: string, hint: string) => new CapwrapError(code, `${subject} ${what}`, { hint });
  if (url.username !== '' || url.password !== '')
    throw refuse('holds a user name or password', 'an address names a server, and nothing else');
  if (!isSecure(url)) throw refuse('is not https', 'use https://, or http:// on 127.0.0.1');
  if (url.hash !== '') throw refuse('has a fragment', "leave out '#' and what is behind it");
}
