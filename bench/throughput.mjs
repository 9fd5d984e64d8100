// Measures what becomes of a child's output on its way through capwrap, beside `cat`, a plain Node pipe and a naive
// replace: `npm run build`, then `node bench/throughput.mjs [--megabytes 400] [--runs 7] [--node PATH] [--only WORDS]
// [--inputs WORDS] [--contenders WORDS]`. The contenders take turns; figures are medians. `--only` names sections:
// throughput,linear,lines,socket,reader,latency. The last two choose by words of the names, as `--inputs log,base64` and
// `--contenders runner`; the plain pipe is always among them.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'rolldown';
import { TILE_MB, writeInputs } from './streams/inputs.mjs';
import { runIntoSocket, runPipeline } from './streams/pipeline.mjs';
import { CREDENTIALS } from './streams/secrets.mjs';
import { CAPWRAP, setUpWorkspace } from './workspace.mjs';

const SECTIONS = { throughput, linear, lines, socket, reader, latency };
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '400' },
    runs: { type: 'string', default: '7' },
    node: { type: 'string', default: process.execPath },
    only: { type: 'string', default: Object.keys(SECTIONS).join() },
    inputs: { type: 'string', default: '' },
    contenders: { type: 'string', default: '' },
  },
});
const megabytes = Number(values.megabytes);
const runs = Number(values.runs);
const { node } = values;
const sections = values.only.split(',').map((name) => {
  if (!SECTIONS[name]) throw new Error(`--only takes ${Object.keys(SECTIONS)}, not ${name}`);
  return SECTIONS[name];
});

const here = dirname(fileURLToPath(import.meta.url));
const helper = (name) => join(here, 'streams', name);
const folder = await realpath(await mkdtemp(join(tmpdir(), 'capwrap-bench-')));
// The launcher finds Node on PATH; the one under test stands first.
const workspace = await setUpWorkspace(folder, [dirname(node), process.env.PATH].join(delimiter));
const errorFile = join(folder, 'errors');
const how = { cwd: folder, env: workspace.env, errors: openSync(errorFile, 'a') };
const runner = await buildRunner();
const inputs = chosen(await writeInputs(folder), values.inputs);

const PLAIN = 'plain Node pipe';
const RUNNER = 'capwrap: the runner';
/** Each makes a command line of the child's. */
const contenders = chosen(
  {
    cat: (child) => ['sh', '-c', '"$@" | cat', 'sh', ...child],
    [PLAIN]: (child) => [node, helper('plain-pipe.mjs'), ...child],
    'naive replace': (child) => [node, helper('naive-replace.mjs'), ...child],
    [RUNNER]: (child, set = 'CREDENTIALS') => ['sh', runner, set, ...child],
    'capwrap: a whole run': (child) => [CAPWRAP, 'run', '--quiet', '-c', 'bench-local', '--', ...child],
  },
  values.contenders && `${values.contenders},${PLAIN}`,
);
const EMPTY = ['cat', '/dev/null'];
const TO_NULL = 'cat >/dev/null';

try {
  const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  const load = loadavg()[0].toFixed(1);
  console.log(`Node ${version}, ${cpus().length} cores, load ${load}, ${runs} rounds, ${megabytes} MB`);
  const startUp = await inTurns(contenders, Math.max(15, runs), (contender) => pipe(contender(EMPTY)));
  show('No output at all: the start-up', startUp, ['min', 'median', 'CPU', 'memory']);
  for (const section of sections) await section(startUp);
} catch (error) {
  console.error(readFileSync(errorFile, 'utf8'));
  throw error;
} finally {
  closeSync(how.errors);
  await workspace.sandbox.stop();
  await rm(folder, { recursive: true, force: true });
}

/** How fast, input by input. `net` leaves out each one's own start-up. */
async function throughput(startUp) {
  for (const [name, input] of Object.entries(inputs)) {
    const size = isHostile(name) ? megabytes / 4 : megabytes;
    const child = prints(input, size);
    const results = await inTurns(contenders, runs, (contender) => pipe(contender(child, input.set)));
    addSpeed(results, startUp, size);
    const columns = ['min', 'median', 'MB/s', 'of plain', 'net of plain', 'CPU', 'memory'];
    if (name.startsWith('a secret')) {
      await countLeft(results, input);
      columns.push('secrets left');
    }
    show(`${name}, ${size} MB`, results, columns);
  }
}

/** Twice the hostile input should take twice the time. */
async function linear(startUp) {
  const few = { [PLAIN]: contenders[PLAIN], [RUNNER]: contenders[RUNNER] };
  for (const [name, input] of Object.entries(inputs)) {
    if (!isHostile(name)) continue;
    const size = megabytes / 4;
    const results = await inTurns(few, Math.min(runs, 3), async (contender) => {
      const once = await pipe(contender(prints(input, size), input.set));
      const twice = await pipe(contender(prints(input, 2 * size), input.set));
      return { ms: once.ms, twice: twice.ms };
    });
    for (const [contender, row] of Object.entries(results)) {
      const start = startUp[contender].median;
      row['2x takes'] = `${((median(row.twice) - start) / (row.median - start)).toFixed(2)}x`;
    }
    show(`${name}, ${size} MB and ${2 * size} MB`, results, ['median', '2x takes']);
  }
}

/** A child that writes each line by itself. */
async function lines(startUp) {
  const child = [node, helper('lines.mjs'), '200000'];
  const results = await inTurns(contenders, runs, (contender) => pipe(contender(child)));
  addSpeed(results, startUp, 0);
  const columns = ['min', 'median', 'of plain', 'net of plain', 'CPU', 'memory'];
  show('200000 lines, one write each', results, columns);
}

/** What a Node program that starts capwrap sees. */
async function socket() {
  const child = prints(inputs['log text'], megabytes);
  const results = await inTurns(contenders, runs, (contender) => runIntoSocket(contender(child), how));
  addSpeed(results, null, megabytes);
  show('log text, read by a Node program', results, ['min', 'median', 'MB/s', 'of plain']);
}

/** Memory, when the reader is slow. */
async function reader() {
  const few = { [PLAIN]: contenders[PLAIN], [RUNNER]: contenders[RUNNER] };
  const kinds = {
    '1 GiB, read at 6 MB/s, given up after 3 s': [1024, `${node} ${helper('slow-reader.mjs')} trickle 3`],
    '256 MiB, read after a pause of 1.5 s': [256, `${node} ${helper('slow-reader.mjs')} stall 1.5`],
  };
  for (const [name, [size, consumer]] of Object.entries(kinds)) {
    const child = prints(inputs['log text'], size);
    const results = await inTurns(few, 3, (contender) =>
      runPipeline(contender(child), consumer, { ...how, mayFail: true }),
    );
    const more = results[RUNNER].peak - results[PLAIN].peak;
    results[RUNNER]['more memory'] = `${more.toFixed(0)} MB`;
    show(name, results, ['median', 'memory', 'more memory']);
  }
}

/** From the child's write to the arrival here, through one `cat`, which has a real pipe to read. */
async function latency() {
  const few = { [PLAIN]: contenders[PLAIN], [RUNNER]: contenders[RUNNER] };
  const clock = (rest) => [node, helper('clock.mjs'), rest];
  const beginning = CREDENTIALS.AWS_SESSION_TOKEN.slice(0, 3);
  const kinds = {
    'a line from a child that has just started': { child: ['date', '+%s%N .'], end: '\n', wall: true },
    'a line from a child that has been there for a while': { child: clock('.\n'), end: '\n' },
    "a line whose last letter is a secret's first": { child: clock(`${beginning[0]}\n`), end: '\n' },
    'a prompt without a line end': { child: clock('Password? '), end: '? ' },
    "a prompt that ends in a secret's first 3 bytes": { child: clock(beginning), end: beginning },
  };
  for (const [name, { child, end, wall }] of Object.entries(kinds)) {
    const results = await inTurns(few, Math.max(30, runs), async (contender) => {
      const offset = wall ? wallClockOffset() : 0n;
      const { out } = await runPipeline(contender(child), 'cat', how);
      let text = '';
      const last = out.find(({ chunk }) => {
        text += chunk;
        return text.endsWith(end);
      });
      return { ms: Number(last.at + offset - BigInt(text.match(/^\d+/)[0])) / 1e6 };
    });
    const more = results[RUNNER].median - results[PLAIN].median;
    results[RUNNER].more = `${more.toFixed(2)} ms`;
    show(`Latency: ${name}`, results, ['min', 'median', 'more']);
  }
}

/** Those whose names hold one of the words; all without any. */
function chosen(all, words) {
  const wanted = (name) => words.split(',').some((word) => name.includes(word));
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted(name)));
}

function isHostile(name) {
  return name.startsWith('hostile');
}

function pipe(argv) {
  return runPipeline(argv, TO_NULL, how);
}

function prints({ file }, size) {
  return ['cat', ...Array(Math.ceil(size / TILE_MB)).fill(file)];
}

async function inTurns(all, rounds, run) {
  const results = {};
  for (const name of Object.keys(all)) results[name] = { ms: [], twice: [], peaks: [], cpu: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(all)) {
      const { ms, twice, peakMb, cpuMs } = await run(contender);
      results[name].ms.push(ms);
      results[name].twice.push(twice);
      results[name].peaks.push(peakMb);
      results[name].cpu.push(cpuMs);
    }
  }
  for (const [name, row] of Object.entries(results)) {
    row.median = median(row.ms);
    row.min = Math.min(...row.ms);
    row.peak = median(row.peaks);
    if (!row.peak || name === 'cat') continue; // two processes, neither of which is watched
    row.memory = `${row.peak.toFixed(0)} MB`;
    row.CPU = `${median(row.cpu)} ms`;
  }
  return results;
}

function addSpeed(results, startUp, size) {
  const plain = results[PLAIN].median;
  for (const [name, row] of Object.entries(results)) {
    row['MB/s'] = ((size * 1000) / row.median).toFixed(0);
    row['of plain'] = percent(plain / row.median);
    if (!startUp) continue;
    const net = row.median - startUp[name].median;
    row['net of plain'] = percent((plain - startUp[PLAIN].median) / net);
  }
}

/** How many of the secrets come out, by the output of one file. */
async function countLeft(results, { file }) {
  const patterns = join(folder, 'patterns');
  writeFileSync(patterns, Object.values(CREDENTIALS).join('\n'));
  for (const [name, contender] of Object.entries(contenders)) {
    const count = `grep -aoFf ${patterns} | wc -l`;
    const { out } = await runPipeline(contender(['cat', file]), count, how);
    results[name]['secrets left'] = Buffer.concat(out.map(({ chunk }) => chunk))
      .toString()
      .trim();
  }
}

function show(title, results, columns) {
  console.log(`\n${title.padEnd(26)}${columns.map((column) => column.padStart(14)).join('')}`);
  for (const [name, row] of Object.entries(results)) {
    const cells = columns.map((column) => {
      const value = row[column] ?? '';
      return (typeof value === 'number' ? `${value.toFixed(1)} ms` : value).padStart(14);
    });
    console.log(`  ${name.padEnd(24)}${cells.join('')}`);
  }
}

/** What to add to the monotonic clock to get the wall clock's time, as of now. */
function wallClockOffset() {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return BigInt(now) * 1_000_000n - process.hrtime.bigint();
}

async function buildRunner() {
  await build({
    input: helper('masked.mjs'),
    platform: 'node',
    logLevel: 'warn',
    transform: { target: 'node20', define: { __CAPWRAP_VERSION__: '"0.0.0-bench"' } },
    output: { file: join(folder, 'masked.cjs'), format: 'cjs', codeSplitting: false, minify: true },
  });
  const launcher = readFileSync(CAPWRAP, 'utf8');
  const file = join(folder, 'runner.js');
  writeFileSync(file, launcher.replace("require('../dist/start.js')", "require('./masked.cjs')"));
  return file;
}

function percent(ratio) {
  return `${(100 * ratio).toFixed(0)} %`;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
