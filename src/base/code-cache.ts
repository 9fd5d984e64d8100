/**
 * Compiled code kept between runs: compiling takes a third of a run's processor time. Node can do so by itself (from 22.8
 * on), but keeps what the first command of all has compiled, which is not what a run needs, and never adds to it.
 */
import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { basename, dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { sweepCompiledCode } from './code-cache-sweep.ts';

type Compile = (this: NodeJS.Module, code: string, path: string, ...more: unknown[]) => unknown;
/** What each CommonJS file goes through (Node's lib/internal/modules/cjs/loader.js), where transpilers step in as well. */
const loader = (module as unknown as { prototype: { _compile: Compile } }).prototype;

interface Kept {
  readonly code: Buffer;
  /** It has what a whole run needs: functions are compiled when they are first called. */
  readonly whole: boolean;
}

/**
 * From now on files in `codeDir` are loaded with what is kept of them in `folder`, which must be the running user's
 * alone; V8 refuses what another version of it, or one with other flags, has compiled. When the process ends, what is
 * missing is added, and what older builds have left is removed. A folder that can't be read or written only makes a run slower.
 */
export function keepCompiledCode(codeDir: string, folder: string): void {
  const kept = join(folder, `${process.version}-${process.arch}`);
  const compiled: { path: string; code: string; script: Script; whole: boolean | null }[] = [];
  const compile = loader._compile;
  loader._compile = function (code, path, ...more) {
    if (dirname(path) !== codeDir) return compile.call(this, code, path, ...more);
    const found = read(fileFor(kept, path), code);
    const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${code}\n})`, {
      filename: path,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      ...(found ? { cachedData: found.code } : {}),
    });
    compiled.push({ path, code, script, whole: found && !script.cachedDataRejected ? found.whole : null });
    const run = script.runInThisContext() as (...parts: unknown[]) => unknown;
    return run.call(this.exports, this.exports, module.createRequire(path), this, path, codeDir);
  };
  process.on('exit', (status) => {
    const whole = process.argv.includes('run') && (status < OWN_STATUS.first || status > OWN_STATUS.last);
    const missing = compiled.filter(({ whole: was }) => was === null || (whole && !was));
    for (const { path, code, script } of missing) {
      write(fileFor(kept, path), code, { code: script.createCachedData(), whole });
    }
    if (missing.length === 0) return;
    sweepCompiledCode(kept, new Set(compiled.map(({ path }) => basename(fileFor(kept, path)))), Date.now());
  });
}

/** Statuses with which capwrap ends where there was no child, or it was not found. */
const OWN_STATUS = { first: 120, last: 127 };

const fileFor = (folder: string, path: string) => join(folder, `${basename(path)}.bin`);

/** Of the file: checksums of the source and of the code, which V8 does not check itself, and whether it is whole. */
const HEAD = 9;

function read(file: string, source: string): Kept | null {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(HEAD);
    if (bytes.readUInt32LE(0) !== crc32(source) || bytes.readUInt32LE(4) !== crc32(code)) return null;
    return { code, whole: bytes[8] === 1 };
  } catch {
    return null;
  }
}

function write(file: string, source: string, { code, whole }: Kept): void {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(crc32(source), 0);
  head.writeUInt32LE(crc32(code), 4);
  head[8] = whole ? 1 : 0;
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(fresh, Buffer.concat([head, code]), { mode: 0o600, flag: 'wx' });
    renameSync(fresh, file);
  } catch {
    // The disk is full, or a run of the same number was killed while it wrote: what it left goes as well.
    try {
      unlinkSync(fresh);
    } catch {
      // there is none, or the disk can't be written at all
    }
  }
}
