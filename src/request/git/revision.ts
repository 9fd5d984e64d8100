/**
 * A commit by the name that people give it (gitrevisions(7)), and a file as that commit has it, from git's own files.
 * A library is loaded, so callers import this module only where somebody asks for another version.
 */
import { expandOid, readBlob, readCommit, readTree } from 'isomorphic-git';
import { assertSmall } from './assert-small.ts';
import { objectFiles } from './object-files.ts';
import { GitFault } from './read-file.ts';
import { type RefPlace, resolveRef } from './refs.ts';

const MAX_GENERATIONS = 10_000;
const SHA1 = /^[0-9a-f]{40}$/;

/**
 * The full hash of the commit that `name` stands for: `HEAD`, a branch, tag or remote branch, or a full or short hash,
 * followed by any of `~n` and `^n`. Null where nothing in the repository has that name. Throws a GitFault for an
 * ambiguous hash, and where git's files can't be read.
 */
export async function resolveRevision(name: string, place: RefPlace): Promise<string | null> {
  const [, base = '', steps = ''] = /^(.*?)((?:[~^]\d{0,5})*)$/s.exec(name) ?? [];
  const start = await findStart(base === '@' ? 'HEAD' : base, place);
  if (start === null) return null;
  if (!SHA1.test(start)) throw new GitFault('the repository uses SHA-256, which is not read');
  let commit = await commitOf(start, place);
  for (const [, sign, digits = ''] of steps.matchAll(/([~^])(\d*)/g)) {
    const number = digits === '' ? 1 : Number(digits);
    if (sign === '~' && number > MAX_GENERATIONS) return null;
    const parents = sign === '~' ? Array.from({ length: number }, () => 1) : number === 0 ? [] : [number];
    for (const parent of parents) {
      const next = commit.parents[parent - 1];
      if (next === undefined) return null;
      commit = await commitOf(next, place);
    }
  }
  return commit.oid;
}

/**
 * The bytes of the file at `path` (`/` between names, relative to the work tree) in a commit; null where the commit has
 * none. Throws TooLarge where it has more than `maxBytes`, and a GitFault where something else has that name, and where an
 * object can't be read.
 */
export async function readFileAt(
  commit: string,
  path: string,
  place: RefPlace,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const repository = { fs: objectFiles, gitdir: place.commonDir, cache: {} };
  let oid = commit;
  const names = path.split('/');
  for (const [depth, name] of names.entries()) {
    const { tree } = await reading(oid, () => readTree({ ...repository, oid }));
    const entry = tree.find((each) => each.path === name);
    if (entry === undefined) return null;
    const isLast = depth === names.length - 1;
    if (entry.type !== (isLast ? 'blob' : 'tree') || entry.mode === SYMBOLIC_LINK) {
      throw new GitFault(
        `"${names.slice(0, depth + 1).join('/')}" is no ${isLast ? 'file' : 'folder'} there`,
      );
    }
    oid = entry.oid;
  }
  assertSmall(oid, place.commonDir, maxBytes);
  const { blob } = await reading(oid, () => readBlob({ ...repository, oid }));
  return blob;
}

const SYMBOLIC_LINK = '120000';

/**
 * Git takes the first of several meanings, with a warning at most. Who is to review a change could then be shown another
 * commit than meant, by whoever can add a tag: here, such a name is a fault. A full hash means itself, as with git.
 */
async function findStart(name: string, place: RefPlace): Promise<string | null> {
  const full = name.toLowerCase();
  if (SHA1.test(full)) return full;
  const found = new Map<string, string>();
  for (const ref of refsCalled(name)) {
    const oid = resolveRef(ref, place);
    if (oid !== null) found.set(oid, found.get(oid) ?? ref);
  }
  const hash = await findHash(name, place);
  if (hash !== null) found.set(hash, found.get(hash) ?? `the object ${hash}`);
  if (found.size > 1) {
    throw new GitFault(
      `"${name}" stands for more than one: ${[...found.values()].join(', ')}; write it in full`,
    );
  }
  return [...found.keys()][0] ?? null;
}

const LONGEST_FILE_NAME = 255;

function refsCalled(name: string): readonly string[] {
  if (name.split('/').some((part) => Buffer.byteLength(part) > LONGEST_FILE_NAME)) return [];
  return [
    ...(/^(?:[A-Z]+_)?HEAD$/.test(name) || name.startsWith('refs/') ? [name] : []),
    ...['tags', 'heads', 'remotes'].map((folder) => `refs/${folder}/${name}`),
    `refs/remotes/${name}/HEAD`,
  ];
}

async function findHash(text: string, place: RefPlace): Promise<string | null> {
  const hash = text.toLowerCase();
  if (!/^[0-9a-f]{4,39}$/.test(hash)) return null;
  try {
    return await expandOid({ fs: objectFiles, gitdir: place.commonDir, oid: hash });
  } catch (error) {
    if (codeOf(error) === 'AmbiguousError') throw new GitFault(`"${text}" stands for more than one object`);
    return null;
  }
}

/** Of an annotated tag, the commit that it is for. */
async function commitOf(
  start: string,
  place: RefPlace,
): Promise<{ readonly oid: string; readonly parents: readonly string[] }> {
  const { oid, commit } = await reading(start, () =>
    readCommit({ fs: objectFiles, gitdir: place.commonDir, oid: start }),
  );
  return { oid, parents: commit.parent };
}

async function reading<T>(oid: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === 'ObjectTypeError')
      throw new GitFault(`object ${oid} is not of the kind it has to be`);
    throw new GitFault(`object ${oid} is not in the repository's own files, or is damaged`);
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null;
}
