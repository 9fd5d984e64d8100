// Bundles the CLI into dist/, the sandbox and the demo into build/, and checks or writes the map's JSON Schema.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, transform } from 'esbuild';
import {
  noDefaultCredentials,
  noHelperProcesses,
  thirdPartyNotices,
  yamlAsModules,
} from './bundle-plugins.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // The ES modules of the AWS SDK shake down to a third of its CommonJS build.
  mainFields: ['module', 'main'],
  define: { __CAPWRAP_VERSION__: JSON.stringify(manifest.version) },
  logLevel: 'warning',
};

await rm(join(root, 'dist'), { recursive: true, force: true });
const product = await build({
  ...common,
  entryPoints: { start: 'src/start.ts' },
  outdir: 'dist',
  splitting: true,
  minify: true,
  legalComments: 'none',
  metafile: true,
  plugins: [noHelperProcesses, noDefaultCredentials, yamlAsModules],
});
await toCommonJs(join(root, 'dist'));
await writeFile(join(root, 'dist', 'THIRD-PARTY.txt'), await thirdPartyNotices(root, product.metafile));

await rm(join(root, 'build'), { recursive: true, force: true });
await build({
  ...common,
  entryPoints: {
    schema: 'src/policy/json-schema.ts',
    sandbox: 'examples/sandbox/main.ts',
    'sandbox-server': 'examples/sandbox/server.ts',
    demo: 'examples/demo/main.ts',
  },
  outdir: 'build',
  splitting: true,
  packages: 'external',
});

const schemaFile = join(root, 'schema', 'capabilities.schema.json');
const { mapJsonSchema } = await import(pathToFileURL(join(root, 'build', 'schema.js')).href);
const schema = `${JSON.stringify(mapJsonSchema(), null, 2)}\n`;
if (process.argv.includes('--schema')) {
  await mkdir(dirname(schemaFile), { recursive: true });
  await writeFile(schemaFile, schema);
} else if (schema !== (await readFile(schemaFile, 'utf8').catch(() => ''))) {
  throw new Error('schema/capabilities.schema.json differs from src/policy/schema.ts: npm run schema');
}

/**
 * Rewrites the chunks as CommonJS: Node's loader for ES modules costs about 30 ms more at start, most of it for
 * resolving, linking, and making a module of every built-in.
 */
async function toCommonJs(folder) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { code } = await transform(await readFile(path, 'utf8'), {
      format: 'cjs',
      target: 'node20',
      minify: true,
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': '__fileUrl' },
      banner: "const __fileUrl = require('node:url').pathToFileURL(__filename).href;",
    });
    await writeFile(path, code);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
}
