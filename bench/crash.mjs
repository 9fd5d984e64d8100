// Kills runs with KILL at random points and holds what capwrap then says against what the files and the children say:
// `npm run crash -- [--runs 300] [--seed 1]`. Exits with 1 at the first untruth.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CAPWRAP, setUpWorkspace } from './workspace.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
  },
});
const runs = Number(values.runs);
const random = generator(Number(values.seed));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capwrap-crash-')));
const workspace = await setUpWorkspace(folder, process.env.PATH);
const { env } = workspace;
const stateDir = join(folder, '.local', 'state', 'capwrap');
const seen = join(folder, 'children');
const seenOf = { killed: 0, finished: 0, unfinished: 0, torn: 0, recovered: 0, archives: 0, reaped: 0 };

try {
  // The smallest size that may be set: files change every dozen runs.
  writeFileSync(join(stateDir, 'config.yaml'), 'audit: {rotate: {max_size: 64KiB}}\n', { mode: 0o600 });
  writeFileSync(seen, '');
  const whole = await timeOf(run());
  console.log(`seed ${values.seed}; a whole run takes ${whole.toFixed(0)} ms`);
  for (let n = 1; n <= runs; n++) {
    const child = run();
    await killAt(child, random() * whole * 1.15);
    check(n);
    if (n % 40 === 0) reap(n);
  }
  reap(runs);
  seenOf.archives = readdirSync(stateDir).filter((name) => /^audit-\d/.test(name)).length;
  seenOf.recovered = records().filter(({ event }) => event === 'recovered').length;
  console.log(JSON.stringify(seenOf));
} finally {
  await workspace.sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
}

function run() {
  const script = `echo "$CAPWRAP_LEASE_ID" >> ${seen}`;
  const argv = ['run', '--quiet', '-c', 'bench-local', '--', '/bin/sh', '-c', script];
  return spawn(CAPWRAP, argv, { cwd: folder, env, stdio: 'ignore' });
}

async function timeOf(child) {
  const start = performance.now();
  await ended(child);
  return performance.now() - start;
}

async function killAt(child, ms) {
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  const { signal } = await ended(child);
  clearTimeout(timer);
  seenOf[signal === 'SIGKILL' ? 'killed' : 'finished']++;
}

function ended(child) {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
}

/** What capwrap says against what the files say. */
function check(n) {
  const verified = json(['audit', 'verify']);
  if (verified.first_bad !== null) fail(n, 'the chain is broken', verified);
  if (verified.torn !== null) seenOf.torn++;
  const all = records();
  if (verified.records !== all.length) fail(n, `${all.length} records stand in the files`, verified);
  const ids = (...events) =>
    new Set(all.filter(({ event }) => events.includes(event)).map((r) => r.lease_id));
  const over = ids('closed', 'lease_ended');
  const open = [...ids('granted')].filter((id) => !over.has(id)).sort();
  const { leases } = json(['leases']);
  const told = leases.map(({ lease_id }) => lease_id).sort();
  if (JSON.stringify(told) !== JSON.stringify(open)) fail(n, `open in the files: ${open}`, { told });
  const alive = leases.filter(({ wrapper }) => wrapper !== 'dead');
  if (alive.length > 0) fail(n, 'a run that was killed is told to live', alive);
  seenOf.unfinished = Math.max(seenOf.unfinished, open.length);
  // No child had a credential that the log doesn't know to have been issued.
  const issued = ids('issued');
  for (const id of readFileSync(seen, 'utf8').split('\n').filter(Boolean))
    if (!issued.has(id)) fail(n, `a child ran with lease ${id}, which no record says was issued`, {});
}

/** Closes what can be closed; what stays open must have its reason. */
function reap(n) {
  const { leases } = json(['leases', 'reap']);
  seenOf.reaped += leases.filter(({ result }) => result === 'ended').length;
  for (const lease of leases) {
    const known = ['ended', 'closed'].includes(lease.result) || (lease.result === 'open' && lease.why);
    if (!known) fail(n, 'a dead run was not reaped', lease);
  }
  check(n);
}

/** Whole lines of all files, read without capwrap. */
function records() {
  const names = readdirSync(stateDir).filter((name) => /^audit(?:-\d+-\d+)?\.jsonl$/.test(name));
  const archives = names.filter((name) => name !== 'audit.jsonl').sort();
  return [...archives, 'audit.jsonl'].flatMap((name) => {
    const path = join(stateDir, name);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  });
}

function json(args) {
  const { stdout, stderr } = spawnSync(CAPWRAP, [...args, '--json'], { cwd: folder, env, encoding: 'utf8' });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`capwrap ${args.join(' ')}: ${stderr}${stdout}`);
  }
}

function fail(n, what, found) {
  process.stderr.write(`run ${n}, seed ${values.seed}: ${what}\n${JSON.stringify(found, null, 2)}\n`);
  process.exitCode = 1;
  throw new Error(what);
}

/** The same points for the same seed (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
