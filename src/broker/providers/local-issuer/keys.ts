/** Making and rotating the signing key, in an order that a crash at any point leaves usable. */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../../base/lock.ts';
import { ensurePrivateDir } from '../../../base/private-files.ts';
import { type IssuerFiles, readJwks, readKey, readName, readRevocationList, writeJson } from './files.ts';
import { liveKeys, type PrivateJwk, type PublicJwk } from './formats.ts';
import { writeRevocationList } from './revocation-list.ts';
import { KEPT_AFTER_EXPIRY, MAX_TOKEN_LIFE, unixSeconds } from './times.ts';

export interface IssuerState {
  readonly issuer: string;
  readonly kid: string;
  /** `replaced`: the revocation list was gone, so every key of before was withdrawn with it. */
  readonly key: 'created' | 'kept' | 'rotated' | 'replaced';
  /** Retired keys that are still published. */
  readonly retired: number;
}

/**
 * Brings the issuer's files into being or into order, and rotates the key where asked. `issuer` null keeps the
 * name, or makes a `urn:uuid:` one. Throws ERR_STATE_UNSAFE for a file that is loose or damaged, and repairs what
 * a crash left behind.
 */
export async function initIssuer(
  files: IssuerFiles,
  wish: { readonly issuer: string | null; readonly rotate: boolean },
  now: Date,
): Promise<IssuerState> {
  ensurePrivateDir(files.dir, files.uid);
  return withLock(files.lock, () => {
    removeLeftovers(files);
    const oldName = readName(files);
    const oldKey = readKey(files);
    const list = readRevocationList(files);
    const issuer = wish.issuer ?? oldName ?? `urn:uuid:${randomUUID()}`;
    // Without its list nobody can tell which tokens were revoked: then no key of before may count either.
    const published = list === null ? [] : (readJwks(files) ?? []);
    const key = oldKey === null || list === null || wish.rotate ? newKey() : oldKey;

    // Each step may be the last one before a crash. The key that signs comes after the key that is looked up, and
    // a lost list comes back only once the keys of before are gone.
    if (list === null) rmSync(files.key, { force: true });
    if (issuer !== oldName) writeJson(files.name, { version: 1, issuer });
    writeJwks(files, [publicPart(key), ...others(published, key)]);
    if (list?.issuer !== issuer) writeRevocationList(files, issuer, list?.revoked ?? [], now);
    if (key !== oldKey) writeJson(files.key, key);
    const retired = liveKeys(retire(others(published, key), now), unixSeconds(now));
    if (published.length > 0) writeJwks(files, [publicPart(key), ...retired]);

    return { issuer, kid: key.kid, key: fate(oldKey, key, list === null), retired: retired.length };
  });
}

function newKey(): PrivateJwk {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new Error('an Ed25519 JWK has both x and d');
  return { kty: 'OKP', crv: 'Ed25519', x, d, kid: thumbprint(x), alg: 'EdDSA', use: 'sig' };
}

/** RFC 7638: SHA-256 over the required members in alphabetical order. */
function thumbprint(x: string): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}

function publicPart({ kty, crv, x, kid, alg, use }: PrivateJwk): PublicJwk {
  return { kty, crv, x, kid, alg, use };
}

function others(published: readonly PublicJwk[], key: PrivateJwk): PublicJwk[] {
  return published.filter(({ kid }) => kid !== key.kid);
}

/** Marks keys with the second after which their last token can't live, unless they are marked already. */
function retire(keys: readonly PublicJwk[], now: Date): PublicJwk[] {
  const lastExpiry = unixSeconds(now) + MAX_TOKEN_LIFE + KEPT_AFTER_EXPIRY;
  return keys.map((key) => ({ ...key, exp: key.exp ?? lastExpiry }));
}

function writeJwks(files: IssuerFiles, keys: readonly PublicJwk[]): void {
  writeJson(files.jwks, { keys });
}

function fate(oldKey: PrivateJwk | null, key: PrivateJwk, withdrawn: boolean): IssuerState['key'] {
  if (oldKey === null) return 'created';
  if (withdrawn) return 'replaced';
  return key === oldKey ? 'kept' : 'rotated';
}

/** Half-written files of a crash, one of which could be a key. Nobody else writes here while the lock is held. */
function removeLeftovers({ dir }: IssuerFiles): void {
  for (const name of readdirSync(dir)) {
    if (/^(?:key|jwks|revoked|issuer)\.json\..*\.tmp$/.test(name)) unlinkSync(join(dir, name));
  }
}
