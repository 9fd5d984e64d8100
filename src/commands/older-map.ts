/** Another version of a map: a file, or the map as a commit has it. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Ambient } from '../base/ambient.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import type { CapabilityMap } from '../policy/capability.ts';
import { type MapFile, readMapFile } from '../policy/map-file.ts';
import { analyseMap, parseMap } from '../policy/parse.ts';
import { MAX_MAP_BYTES } from '../policy/yaml-text.ts';
import { gitOptions } from '../request/gather-facts.ts';
import { GitFault } from '../request/git/read-file.ts';
import { readGit } from '../request/git/read-git.ts';

export interface OlderMap {
  /** As it was asked for. */
  readonly name: string;
  /** Full hash; null for a file. */
  readonly commit: string | null;
  /** SHA-256 of the content, lower-case hex; null where the commit has no map at this path. */
  readonly sha256: string | null;
  readonly map: CapabilityMap;
}

/**
 * The version of `file` that `name` stands for: a file where there is one by that name, else a commit. Its relative
 * paths are resolved against the folder of `file`, so that they mean the same. A commit without the map counts as one
 * that allows nothing. Throws ERR_MAP_NOT_FOUND, ERR_MAP_UNREADABLE, ERR_MAP_UNSAFE or ERR_MAP_INVALID.
 */
export async function readOlderMap(name: string, file: MapFile, ambient: Ambient): Promise<OlderMap> {
  const path = resolve(ambient.cwd, name);
  if (isFile(path)) {
    const { sha256, bytes, path: canonical } = readMapFile(path, ambient);
    return { name, commit: null, sha256, map: parseMap(bytes, { path: canonical, dir: file.dir, sha256 }) };
  }
  const { commit, bytes, shown } = await readFromGit(name, file, ambient);
  if (bytes === null) return { name, commit, sha256: null, map: nothingIn(file) };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { map, faults } = analyseMap(bytes, { path: file.path, dir: file.dir, sha256 });
  if (map !== null) return { name, commit, sha256, map };
  const source = `${name}:${shown}`;
  const lines = faults.slice(0, SHOWN).map((fault) => `line ${fault.line}: ${fault.message}`);
  throw new CapwrapError('ERR_MAP_INVALID', [`"${source}" is not a valid map`, ...lines].join('\n'), {
    hint: `git show ${shellQuote(source)} > older.yaml, then capwrap check older.yaml`,
  });
}

/** Faults of an older version that are told. */
const SHOWN = 5;

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return false; // too long for a file's name, or not to be looked at: no file, so a commit or nothing
  }
}

function nothingIn({ path, dir, sha256 }: MapFile): CapabilityMap {
  return { path, dir, sha256, approvers: new Map(), capabilities: new Map() };
}

interface Blob {
  readonly commit: string;
  readonly bytes: Uint8Array | null;
  /** The path in the repository. */
  readonly shown: string;
}

/** Read from git's own objects: no process is started. */
async function readFromGit(name: string, file: MapFile, ambient: Ambient): Promise<Blob> {
  const { workTree, gitDir, commonDir, commit: head } = readGit(dirname(file.path), gitOptions(ambient));
  const missing = (why: string, hint?: string) =>
    new CapwrapError('ERR_MAP_NOT_FOUND', `"${name}" is no file, and no commit: ${why}`, { hint });
  if (workTree === null || gitDir === null || commonDir === null) throw missing(head.from);
  const inside = relative(workTree, file.path);
  if (inside === '' || inside.startsWith(`..${sep}`)) throw missing(`${file.path} is not in ${workTree}`);
  const shown = inside.split(sep).join('/');
  const { resolveRevision, readFileAt } = await import('../request/git/revision.ts');
  const { TooLarge } = await import('../request/git/assert-small.ts');
  try {
    const place = { gitDir, commonDir };
    const commit = await resolveRevision(name, place);
    if (commit === null) {
      throw missing(
        `the repository has no branch, tag or commit of that name`,
        `git fetch origin ${shellQuote(name)}`,
      );
    }
    return { commit, bytes: await readFileAt(commit, shown, place, MAX_MAP_BYTES), shown };
  } catch (error) {
    if (!(error instanceof GitFault)) throw error;
    if (error instanceof TooLarge)
      throw new CapwrapError('ERR_MAP_INVALID', `"${name}:${shown}" is ${error.message}`, {
        hint: `git log --oneline -- ${shellQuote(shown)}`,
        cause: error,
      });
    throw new CapwrapError('ERR_MAP_UNREADABLE', `"${name}" can't be read: ${error.message}`, {
      hint: `git show ${shellQuote(`${name}:${shown}`)} > older.yaml, then capwrap check --against older.yaml`,
      cause: error,
    });
  }
}
