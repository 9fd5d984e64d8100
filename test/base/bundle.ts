/** Runs a piece of TypeScript in a process of its own: some facts (terminals, races) only show between processes. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT, tempDir } from '../helpers/cli.ts';

/** Bundles `source`, whose imports are relative to the project's root, and returns the path of the program. */
export async function bundle(source: string): Promise<string> {
  const outfile = join(tempDir(), 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
    logLevel: 'error',
    define: { __CAPWRAP_VERSION__: '"0.0.0-test"' },
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}
