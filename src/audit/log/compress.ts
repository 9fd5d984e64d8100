/** Compressing an archive, so that at no point the log lacks it. */
import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream, rmSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { syncDir } from '../../base/private-files.ts';
import { asWriteFault } from '../../base/write-fault.ts';
import { CapwrapError } from '../../errors.ts';
import type { Archive } from './archives.ts';

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
    if ((await digestOf(createReadStream(temporary).pipe(createGunzip()))) !== written) {
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

function readWhole(path: string): Readable {
  // Node takes numbers here as open(2) does.
  const flags = (constants.O_RDONLY | constants.O_NOFOLLOW) as unknown as string;
  return createReadStream(path, { flags });
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

async function digestOf(from: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of from) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
