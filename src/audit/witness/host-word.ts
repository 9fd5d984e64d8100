/** The name of this machine in a line that a witness keeps. */
import { hostname } from 'node:os';

/** As RFC 5424 wants it, and so that no name can be taken for something else in the line. */
export function hostWord(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9.-]/g, '?')
      .slice(0, 255) || '-'
  );
}
