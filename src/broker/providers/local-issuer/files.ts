/** Where the issuer keeps its files, and reading them: private, whole, and in their exact format. */
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../../../base/private-files.ts';
import { shellQuote } from '../../../base/shell-quote.ts';
import { CapwrapError } from '../../../errors.ts';
import {
  type PrivateJwk,
  type PublicJwk,
  parseIssuerName,
  parseJwks,
  parsePrivateJwk,
  parseRevocationList,
  type RevocationList,
} from './formats.ts';

/** The issuer's place on disk, and the user to whom everything there must belong. */
export interface IssuerFiles {
  readonly dir: string;
  readonly key: string;
  readonly jwks: string;
  readonly revoked: string;
  readonly name: string;
  /** Ledger of the tokens that `capwrap issuer verify` has seen. */
  readonly seen: string;
  /** Held by whoever changes one of the files. */
  readonly lock: string;
  readonly uid: number;
}

export function issuerFiles(stateDir: string, uid: number): IssuerFiles {
  const dir = join(stateDir, 'issuer');
  const file = (name: string) => join(dir, name);
  return {
    dir,
    key: file('key.json'),
    jwks: file('jwks.json'),
    revoked: file('revoked.json'),
    name: file('issuer.json'),
    seen: file('seen.json'),
    lock: file('issuer.lock'),
    uid,
  };
}

/** The issuer's name, or null before `capwrap issuer init`. */
export function readName(files: IssuerFiles): string | null {
  return read(files.name, files.uid, parseIssuerName);
}

/** The signing key, or null before `capwrap issuer init`. */
export function readKey(files: IssuerFiles): PrivateJwk | null {
  return read(files.key, files.uid, parsePrivateJwk);
}

/** The published keys, or null before `capwrap issuer init`. */
export function readJwks(files: IssuerFiles): PublicJwk[] | null {
  return read(files.jwks, files.uid, parseJwks);
}

/** The revocation list, or null before `capwrap issuer init`. */
export function readRevocationList(files: IssuerFiles): RevocationList | null {
  return read(files.revoked, files.uid, parseRevocationList);
}

/** Hands a value through, or throws ERR_ISSUER_NOT_READY where the file it comes from does not exist. */
export function required<Value>(value: Value | null): Value {
  if (value !== null) return value;
  throw new CapwrapError(
    'ERR_ISSUER_NOT_READY',
    '"local-issuer" has no key, or a part of its state is missing',
    {
      hint: 'capwrap issuer init',
    },
  );
}

/** A private file's content through its parser: null where it is missing, ERR_STATE_UNSAFE where it is damaged. */
export function read<Value>(
  path: string,
  uid: number,
  parse: (text: string) => Value | null,
  hint = `rm ${shellQuote(path)}; capwrap issuer init`,
): Value | null {
  const bytes = readPrivateFile(path, uid);
  if (bytes === null) return null;
  const value = parse(bytes.toString('utf8'));
  if (value !== null) return value;
  throw new CapwrapError('ERR_STATE_UNSAFE', `"${path}" is damaged: it is not of the documented format`, {
    hint,
  });
}

/** Replaces a private file by a value's JSON, durably and in one step. */
export function writeJson(path: string, value: unknown): void {
  writePrivateFile(path, `${JSON.stringify(value)}\n`);
}
