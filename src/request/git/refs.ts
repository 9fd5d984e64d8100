/** What HEAD points at, read from HEAD, loose refs and packed-refs (gitrepository-layout(5)). */
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../errors.ts';
import { type Fact, known, unknown } from '../facts.ts';
import { GitFault, LIMITS, readGitFile } from './read-file.ts';

/** The two directories that a work tree's refs live in; they differ in linked work trees only. */
export interface RefPlace {
  readonly gitDir: string;
  readonly commonDir: string;
}

export interface Head {
  /** Short name of the branch that a commit would go to. */
  readonly branch: Fact;
  /** The full hash of the commit that is checked out. */
  readonly commit: Fact;
}

/** Follows HEAD as git does, `show` naming files for people. Throws a GitFault where git's files make no sense. */
export function readHead(place: RefPlace, show: (path: string) => string): Head {
  const headPath = join(place.gitDir, 'HEAD');
  let ref = 'HEAD';
  for (let depth = 0; depth <= MAX_SYMREFS; depth++) {
    const found = readRef(ref, place, show);
    if (found === null)
      return { branch: branchFact(ref, show(headPath)), commit: unknown('the branch has no commit yet') };
    if (found.target === undefined) {
      return { branch: branchFact(ref, show(headPath)), commit: known(found.oid, 'observed', found.from) };
    }
    ref = found.target;
  }
  throw new GitFault(`${show(headPath)} leads in a circle`);
}

/**
 * The full hash that a ref stands for, symbolic refs followed; null where there is no such ref, or none that git would
 * accept by that name. `ref` is a full name: `HEAD`, `refs/heads/main`. Throws a GitFault where git's files make no sense.
 */
export function resolveRef(ref: string, place: RefPlace): string | null {
  if (!/^[A-Z_]+$/.test(ref) && !isWellFormed(ref)) return null;
  const show = (path: string) => path;
  for (let name = ref, depth = 0; depth <= MAX_SYMREFS; depth++) {
    const found = readRef(name, place, show);
    if (found === null) return null;
    if (found.target === undefined) return found.oid;
    name = found.target;
  }
  throw new GitFault(`${ref} leads in a circle`);
}

/** git's own bound on symbolic refs that point at symbolic refs (`SYMREF_MAXDEPTH`). */
const MAX_SYMREFS = 5;

type Ref =
  | { readonly target: string; readonly oid?: undefined }
  | { readonly target?: undefined; readonly oid: string; readonly from: string };

function branchFact(ref: string, from: string): Fact {
  if (ref === 'HEAD') return unknown('HEAD is detached: no branch is checked out');
  if (!ref.startsWith('refs/heads/')) return unknown(`${from} points at something that is not a branch`);
  return known(ref.slice('refs/heads/'.length), 'observed', from);
}

/** One step: the hash, or the ref that this one stands for; null where there is no such ref. */
function readRef(ref: string, place: RefPlace, show: (path: string) => string): Ref | null {
  const path = join(isPerWorkTree(ref) ? place.gitDir : place.commonDir, ref);
  const link = readSymbolicLink(path);
  if (link !== null) return { target: checkedRef(link, show(path)) };
  const bytes = readGitFile(path, LIMITS.pointer, show(path));
  if (bytes === null) return ref === 'HEAD' ? null : readPackedRef(ref, place, show);
  const text = bytes.toString('utf8');
  const symbolic = /^ref:\s*(.*?)\s*$/s.exec(text)?.[1];
  if (symbolic !== undefined) return { target: checkedRef(symbolic, show(path)) };
  const oid = /^([0-9a-f]{40}|[0-9a-f]{64})(?:\s|$)/.exec(text)?.[1];
  if (oid === undefined) throw new GitFault(`${show(path)} is not a ref`);
  return { oid, from: show(path) };
}

/** Old repositories have symbolic links for symbolic refs. A link elsewhere is followed as a file, as git does. */
function readSymbolicLink(path: string): string | null {
  try {
    if (!lstatSync(path).isSymbolicLink()) return null;
    const target = readlinkSync(path);
    return target.startsWith('refs/') ? target : null;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function isPerWorkTree(ref: string): boolean {
  return !ref.startsWith('refs/') || /^refs\/(?:bisect|worktree|rewritten)\//.test(ref);
}

/** Searches the bytes for ` <ref>\n` and takes the hash before it; parsing every line would cost large repositories. */
function readPackedRef(ref: string, place: RefPlace, show: (path: string) => string): Ref | null {
  const path = join(place.commonDir, 'packed-refs');
  const bytes = readGitFile(path, LIMITS.packedRefs, show(path));
  if (bytes === null) return null;
  const needle = Buffer.from(` ${ref}\n`);
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
    const lineStart = at === 0 ? 0 : bytes.lastIndexOf(0x0a, at - 1) + 1;
    const oid = bytes.toString('latin1', lineStart, at);
    if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(oid)) return { oid, from: show(path) };
  }
  return null;
}

/** A ref below `refs/` that git would accept (git-check-ref-format(1)), so that it can't lead out of the directory. */
function checkedRef(ref: string, shown: string): string {
  if (ref === 'refs/heads/.invalid')
    throw new GitFault('the repository keeps its refs as a reftable, which is not read');
  if (!isWellFormed(ref)) throw new GitFault(`${shown} points at something that is no valid ref`);
  return ref;
}

function isWellFormed(ref: string): boolean {
  return (
    /^refs\/[^\p{Cc}\uFFFD ~^:?*[\\]+$/u.test(ref) &&
    ref.length <= MAX_REF_LENGTH &&
    !/\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[./]$/.test(ref)
  );
}

const MAX_REF_LENGTH = 1024;
