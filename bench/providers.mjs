// What providers that a run doesn't use cost it: the build as it is against one that knows two of them.
// `npm run bench:providers -- [--pairs 120]`. The two take turns, pair by pair; the figure is the median of the pairs' ratios.
import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CAPWRAP, setUpWorkspace } from './workspace.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { pairs: { type: 'string', default: '120' } } });
const folder = await realpath(await mkdtemp(join(tmpdir(), 'capwrap-bench-')));
const { env, sandbox } = await setUpWorkspace(folder, process.env.PATH);

try {
  const few = await buildWithTwo(join(folder, 'few'));
  const ratios = { wall: [], cpu: [] };
  for (let pair = -1; pair < Number(values.pairs); pair++) {
    const first = pair % 2 === 0;
    const one = await time(first ? CAPWRAP : few);
    const other = await time(first ? few : CAPWRAP);
    if (pair < 0) continue; // fills the compile caches
    const [all, two] = first ? [one, other] : [other, one];
    for (const kind of ['wall', 'cpu']) ratios[kind].push(all[kind] / two[kind]);
  }
  const [size, smaller] = await Promise.all([runChunk(root), runChunk(join(folder, 'few'))]);
  console.log(`chunk of a run: ${size} kB with all providers, ${smaller} kB with two`);
  for (const [kind, list] of Object.entries(ratios)) {
    list.sort((a, b) => a - b);
    const at = (share) => list[Math.floor((list.length - 1) * share)].toFixed(3);
    console.log(`${kind}: ${at(0.5)} times as much with all (quartiles ${at(0.25)} and ${at(0.75)})`);
  }
} finally {
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A copy of the project in which the list of providers has two, built; returns its command. */
async function buildWithTwo(copy) {
  for (const name of [
    'bin',
    'examples',
    'package.json',
    'schema',
    'scripts',
    'src',
    'tsconfig.json',
    'LICENSE',
  ]) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const file = join(copy, 'src', 'policy', 'providers', 'index.ts');
  const text = await readFile(file, 'utf8');
  const fewer = text.replace(/PROVIDERS = \[[^\]]*\]/, 'PROVIDERS = [awsSts, localIssuer]');
  if (fewer === text) throw new Error(`${file} has no list of providers`);
  await writeFile(file, fewer);
  execFileSync(process.execPath, ['scripts/build.mjs', '--schema'], {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(copy, 'bin', 'capwrap.js');
}

/** A run on the embedded issuer: milliseconds by the clock, and of CPU in its processes. */
function time(command) {
  const script = '"$0" run --quiet -c bench-local -- /bin/true || exit 1; times';
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const shell = spawn('sh', ['-c', script, command], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    shell.stdout.on('data', (chunk) => (text += chunk));
    shell.on('close', (code) => {
      const wall = performance.now() - start;
      const spent = [...text.matchAll(/(\d+)m([\d.]+)s/g)].map(
        ([, m, s]) => (Number(m) * 60 + Number(s)) * 1000,
      );
      if (code !== 0 || spent.length !== 4) reject(new Error(`the run ended with ${code}: ${text}`));
      else resolve({ wall, cpu: spent[2] + spent[3] });
    });
  });
}

async function runChunk(project) {
  const names = (await readdir(join(project, 'dist'))).filter((name) => /^run-[\w-]+\.js$/.test(name));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(project, 'dist', name))).size));
  return Math.round(Math.max(...sizes) / 1000);
}
