// Bundles the CLI into dist/, the sandbox and the demo into build/, and checks or writes the map's JSON Schema.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { hotPath, leftOut, thirdPartyNotices, yamlAsModules } from './bundle-parts.mjs';
import { iamActionsFile } from './iam-actions.mjs';
import { reportFrame } from './report-frame.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const iamData = join(root, 'node_modules', '@cloud-copilot', 'iam-data');

const common = {
  cwd: root,
  platform: 'node',
  logLevel: 'warn',
  checks: { ineffectiveDynamicImport: false },
  transform: { target: 'node20', define: { __CAPWRAP_VERSION__: JSON.stringify(manifest.version) } },
};

const fresh = join(root, 'dist.tmp');
await rm(fresh, { recursive: true, force: true });
const { output } = await build({
  ...common,
  input: { start: 'src/start.ts' },
  // The ES modules of the AWS SDK shake down to a third of its CommonJS build.
  resolve: { mainFields: ['module', 'main'] },
  plugins: [leftOut, yamlAsModules],
  output: {
    dir: fresh,
    // Node's loader for ES modules costs about 30 ms more at start than the one for CommonJS.
    format: 'cjs',
    minify: true,
    comments: { legal: false },
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [hotPath(root)] },
  },
});
await writeFile(join(fresh, 'package.json'), '{ "type": "commonjs" }\n');
const report = await reportFrame(root);
await writeFile(join(fresh, 'report.html'), report.html);
await writeFile(
  join(fresh, 'THIRD-PARTY.txt'),
  await thirdPartyNotices([...output, ...report.output], [iamData]),
);
await writeFile(join(fresh, 'iam-actions.json.br'), await iamActionsFile());
await rm(join(root, 'dist'), { recursive: true, force: true });
await rename(fresh, join(root, 'dist'));

await rm(join(root, 'build'), { recursive: true, force: true });
await build({
  ...common,
  input: {
    schema: 'src/policy/json-schema.ts',
    sandbox: 'examples/sandbox/main.ts',
    'sandbox-server': 'examples/sandbox/server.ts',
    demo: 'examples/demo/main.ts',
  },
  external: (id) => /^(?:@[a-z]|[a-z])/.test(id) && !id.startsWith('src/') && !id.startsWith('examples/'),
  output: { dir: 'build', format: 'esm', entryFileNames: '[name].js' },
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
