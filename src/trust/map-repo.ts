/** Which repository a map belongs to: trust that was given in one is none in another. */
import type { Ambient } from '../base/ambient.ts';
import { workTreeRoot } from '../policy/map-file.ts';
import { gitOptions } from '../request/gather-facts.ts';
import { readGit } from '../request/git/read-git.ts';

export interface MapRepo {
  /** `owner/name` from the remote's URL; null where git's files name none. */
  readonly name: string | null;
  /** Where the name is from, or why there is none. */
  readonly from: string;
  /** Root of the work tree, or null. */
  readonly root: string | null;
}

/** The repository around the map's folder, which need not be the one around the working directory. Never throws. */
export function mapRepo(folder: string, ambient: Ambient): MapRepo {
  const { repo } = readGit(folder, gitOptions(ambient));
  return { name: repo.value, from: repo.from, root: workTreeRoot(folder) };
}
