/** The page without a report in it, as the build made it. Only `capwrap audit report` asks for it. */
import { readFileSync } from 'node:fs';
import { CapwrapError } from '../../errors.ts';

// Beside the program in dist/; from the source tree, in the dist/ that the last build made.
const PLACES = ['./report.html', '../../../dist/report.html'];

/** Throws ERR_INTERNAL where it is missing. */
export function readReportFrame(): string {
  for (const place of PLACES) {
    try {
      return readFileSync(new URL(place, import.meta.url), 'utf8');
    } catch {
      // not here
    }
  }
  throw new CapwrapError('ERR_INTERNAL', '"report.html" is missing from the installation', {
    hint: 'install capwrap again',
  });
}
