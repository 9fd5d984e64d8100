/** Which loader a program names, read from real programs and from damaged copies of one. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandError } from '../../src/runner/command-error.ts';
import { elfLoader } from '../../src/runner/elf.ts';
import { resolveCommand } from '../../src/runner/resolve-command.ts';
import { tempDir } from '../helpers/cli.ts';

const NODE = process.execPath;
const loader = elfLoader(NODE);

describe.skipIf(process.platform !== 'linux')('elfLoader (needs the programs of a Linux)', () => {
  it('names a file that is there, for a program that runs', () => {
    // A static build of Node has none.
    if (loader !== null) expect(existsSync(loader)).toBe(true);
    expect(elfLoader('/bin/sh')).toMatch(/^\/.*ld/);
  });

  it('is none for a script, a folder, an empty file and one that is not there', () => {
    const script = join(tempDir(), 'script');
    writeFileSync(script, '#!/bin/sh\n');
    const empty = join(tempDir(), 'empty');
    writeFileSync(empty, '');
    for (const path of [script, empty, '/', '/no/such/file']) expect(elfLoader(path)).toBeNull();
  });

  it('never throws, whatever a header says', () => {
    const path = join(tempDir(), 'damaged');
    const whole = readFileSync('/bin/sh').subarray(0, 4096);
    fc.assert(
      fc.property(fc.nat(1023), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
        const damaged = Buffer.from(whole.subarray(0, length));
        if (at < damaged.length) damaged[at] = byte;
        writeFileSync(path, damaged);
        const found = elfLoader(path);
        expect(found === null || typeof found === 'string').toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('that is missing is found out before the start', () => {
    const path = join(tempDir(), 'foreign');
    const program = readFileSync('/bin/sh');
    const name = Buffer.from(elfLoader('/bin/sh') ?? '');
    const at = program.indexOf(name);
    program.write('/no/such', at);
    writeFileSync(path, program);
    chmodSync(path, 0o755);
    const { fault } = resolveCommand([path], { cwd: '/', path: '/bin', sha256: false });
    expect(fault?.kind).toBe('interpreter_missing');
    const error = fault && commandError(fault);
    expect(error?.exitStatus).toBe(127);
    expect(error?.message).toMatch(/needs the loader "\/no\/such.*built for another system$/);
  });
});
