/** Exported files as a source of events. */
import type { Statement } from '../../record/reconciled-record.ts';
import type { AwsLease } from '../lease.ts';
import { type Search, Witness } from '../search.ts';
import { Gathering } from '../sightings.ts';
import type { EventFiles } from './list-files.ts';
import { type Fault, readEvents } from './read-events.ts';

export interface FileSearch {
  readonly search: Search;
  readonly gathering: Gathering;
  readonly faults: readonly Fault[];
  readonly faultCount: number;
}

/**
 * Reads the files once for all leases, and again where a lease was found to have obtained further credentials: their
 * events may stand in what was read before.
 */
export async function searchFiles(
  leases: readonly AwsLease[],
  { paths, leftOut }: EventFiles,
  said: { readonly regions: readonly string[]; readonly stated: ReadonlySet<Statement> },
): Promise<FileSearch> {
  const at = new Date();
  const witness = new Witness();
  const gathering = new Gathering(leases);
  const faults: Fault[] = [];
  let faultCount = 0;
  let cut = false;
  for (let pass = 1; pass === 1 || gathering.takeGrown(); pass++) {
    cut = pass > MOST_PASSES;
    if (cut) break;
    for (const path of paths) {
      await readEvents(
        path,
        (event) => {
          witness.see(event);
          gathering.take(event);
        },
        (fault) => {
          if (pass > 1) return;
          faultCount++;
          if (faults.length < (fault.line === null ? FAULTS_KEPT : LINES_KEPT)) faults.push(fault);
        },
      );
    }
  }
  const unreadable = faultCount > 0 || leftOut.length > 0;
  return {
    search: { source: 'files', ...said, at, unreadable, cut, witness },
    gathering,
    faults,
    faultCount,
  };
}

/** Places to name: what is wrong with a file as such must not drown in its lines. */
const LINES_KEPT = 20;
const FAULTS_KEPT = 60;

/** Each follows credentials one step further. */
const MOST_PASSES = 6;
