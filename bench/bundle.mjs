// The masker and the model of it, bundled from the sources into a temporary folder.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Modules by their paths from the root, loaded as one bundle. */
export async function load(paths) {
  const dir = await mkdtemp(join(tmpdir(), 'capwrap-bench-'));
  try {
    const input = Object.fromEntries(paths.map((path, index) => [`part${index}`, path]));
    await build({
      cwd: root,
      platform: 'node',
      logLevel: 'warn',
      input,
      transform: { target: 'node20', define: { __CAPWRAP_VERSION__: '"0.0.0-bench"' } },
      output: { dir, format: 'esm', entryFileNames: '[name].mjs' },
    });
    const names = Object.keys(input);
    return Object.assign(
      {},
      ...(await Promise.all(names.map((name) => import(pathToFileURL(join(dir, `${name}.mjs`)).href)))),
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
