/** What an approver signs: that one content replaces another, under one path and in one repository. */
import { toJson } from '../base/escape.ts';

export interface TrustStatement {
  /** Canonical path of the map. */
  readonly path: string;
  readonly repo: string | null;
  /** Digest of the version that was trusted last; null where there was none. */
  readonly replaces: string | null;
  /** The lineage's mark at that time; null where there was none. */
  readonly after: string | null;
  readonly sha256: string;
}

/** The namespace of the signature (PROTOCOL.sshsig), so that one made for anything else is worth nothing here. */
export const MAP_NAMESPACE = 'capwrap-map';

const VERSION = 1;

/** The exact text that is signed: JSON, keys in this order, two blanks, a line end, and nothing unprintable. */
export function statementText({ path, repo, replaces, after, sha256 }: TrustStatement): string {
  return `${toJson({ capwrap_map_trust: VERSION, path, repo, replaces, after, sha256 }, 2)}\n`;
}

/** The statement in a text, or null where it is none of capwrap's, to the byte. */
export function readStatement(text: string): TrustStatement | null {
  try {
    const { path, repo, replaces, after, sha256 } = JSON.parse(text) as TrustStatement;
    const statement = { path, repo, replaces, after, sha256 };
    return statementText(statement) === text ? statement : null;
  } catch {
    return null;
  }
}

/** Why a text that was signed is not the statement that is wanted, as a sentence fragment, or null where it is. */
export function statementFault(text: string, wanted: TrustStatement): string | null {
  const signed = readStatement(text);
  if (signed === null) return 'it is not over a statement of capwrap trust --statement';
  if (signed.path !== wanted.path) return `it is for the map ${signed.path}`;
  if (signed.repo !== wanted.repo)
    return `it is for ${repoWords(signed.repo)}, not for ${repoWords(wanted.repo)}`;
  if (signed.sha256 !== wanted.sha256) return `it is for the content ${signed.sha256}`;
  if (signed.replaces !== wanted.replaces) {
    return `it replaces ${versionWords(signed.replaces)}, and the one trusted last is ${versionWords(wanted.replaces)}`;
  }
  if (signed.after !== wanted.after) return 'it was made for an earlier change, and a signature counts once';
  return null;
}

export function repoWords(repo: string | null): string {
  return repo === null ? 'a repository without a name' : `the repository ${repo}`;
}

function versionWords(sha256: string | null): string {
  return sha256 === null ? 'no version' : `version ${sha256}`;
}
