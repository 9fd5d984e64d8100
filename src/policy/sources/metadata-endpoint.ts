/** The address of a service that a source asks. Only a test has another one than the platform's. */
import { maybe, text } from '../schema-fields.ts';

/** `other`: an address of the platform that is allowed beside this machine's own. */
export function metadataEndpoint(other: string | null, description: string) {
  const loopback = 'http://(?:localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\])(?::\\d{1,5})?';
  const rest = other === null ? '' : `|${other.replace(/[.[\]]/g, '\\$&')}`;
  const wants =
    other === null ? 'must be http:// on this machine' : `must be ${other}, or http:// on this machine`;
  return maybe(text(new RegExp(`^(?:${loopback}${rest})$`), wants), description);
}
