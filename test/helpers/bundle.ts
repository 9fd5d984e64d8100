/** TypeScript made into one program, for what only shows between processes: terminals, races, kills. */
import { join } from 'node:path';
import { build, type InputOptions } from 'rolldown';
import { ROOT, tempDir } from './cli.ts';

/** Bundles the module `entry` (relative to the project's root) into the program `outfile`. */
export async function bundleTo(
  outfile: string,
  entry: string,
  plugins: InputOptions['plugins'] = [],
): Promise<void> {
  await build({
    cwd: ROOT,
    input: entry,
    platform: 'node',
    logLevel: 'warn',
    checks: { ineffectiveDynamicImport: false },
    resolve: { mainFields: ['module', 'main'] },
    transform: { target: 'node20', define: { __CAPWRAP_VERSION__: '"0.0.0-test"' } },
    plugins,
    output: { file: outfile, format: 'esm', codeSplitting: false },
  });
}

/** Bundles `source`, whose imports are relative to the project's root, and returns the path of the program. */
export async function bundle(source: string): Promise<string> {
  const outfile = join(tempDir(), 'program.mjs');
  const id = join(ROOT, 'program-of-a-test.ts');
  await bundleTo(outfile, id, [
    {
      name: 'source-in-memory',
      resolveId: (asked) => (asked === id ? id : undefined),
      load: (asked) => (asked === id ? source : undefined),
    },
  ]);
  return outfile;
}
