/** Compressing an archive, so that at no point the log lacks it. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, lstatSync, rmSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { syncDir } from '../../base/private-files.ts';
import { asWriteFault } from '../../base/write-fault.ts';
import { CapwrapError } from '../../errors.ts';
import { type Archive, LARGEST_INFLATED } from './archives.ts';
import { openForReading } from './open-log.ts';

/**
 * Replaces an archive by its gzip form, which is read back and compared before the plain one goes. A crash leaves the
 * plain one, at most with a second file beside it. Gives the new name.
 */
export async function compressArchive(folder: string, { name }: Archive): Promise<string> {
  const plain = join(folder, name);
  const temporary = `${plain}.gz.tmp`;
  try {
    rmSync(temporary, { force: true });
    const written = await digestThrough(readWhole(plain), createGzip({ level: 9 }), temporary);
    if ((await digestOfInflated(temporary)) !== written) {
      throw new CapwrapError('ERR_AUDIT_WRITE', `"${temporary}" does not hold what "${plain}" does`);
    }
    await rename(temporary, `${plain}.gz`);
    syncDir(folder);
    await unlink(plain);
    syncDir(folder);
    return `${name}.gz`;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw asWriteFault(plain, error);
  }
}

/** False for what would be too large to be read: such an archive stays as it is. */
export function isCompressible(folder: string, { name, compressed }: Archive): boolean {
  const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
  return !compressed && stat !== undefined && stat.size <= LARGEST_INFLATED;
}

function readWhole(path: string): Readable {
  const fd = openForReading(path);
  if (fd === null)
    throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" was removed while it was to be read`);
  return createReadStream('', { fd });
}

/** Durably writes what comes out of `through`; the digest is of what goes in. */
async function digestThrough(from: Readable, through: Transform, to: string): Promise<string> {
  const hash = createHash('sha256');
  const seen = new PassThrough();
  seen.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(from, seen, through, createWriteStream(to, { flags: 'wx', mode: 0o600 }));
  const file = await open(to, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function digestOfInflated(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), createGunzip(), async (inflated) => {
    for await (const chunk of inflated) hash.update(chunk as Buffer);
  });
  return hash.digest('hex');
}
