// What `capwrap audit report` takes, and what its page takes in a browser: `npm run bench:report -- [--leases 50000] [--chromium PATH]`.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { load } from './bundle.mjs';
import { CAPWRAP } from './workspace.mjs';

const { values } = parseArgs({
  options: {
    leases: { type: 'string', default: '50000' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});
const { manyLeases } = await load(['test/audit/many-leases.ts']);
const home = mkdtempSync(join(tmpdir(), 'capwrap-bench-'));
const page = join(home, '..', `${home.split('/').at(-1)}.html`);
try {
  const log = openSync(join(home, 'audit.jsonl'), 'w', 0o600);
  const now = Date.now();
  for (const line of manyLeases(Number(values.leases), now - 30 * 86_400_000, now))
    writeSync(log, `${line}\n`);
  closeSync(log);
  console.log(
    `${values.leases} leases in 30 days, log of ${megabytes(statSync(join(home, 'audit.jsonl')).size)}`,
  );

  const env = { PATH: process.env.PATH, CAPWRAP_HOME: home };
  const verify = command('audit', 'verify', '--quiet');
  const report = command('audit', 'report', '--quiet', '-o', page);
  console.log(`capwrap audit verify: ${verify} ms; capwrap audit report: ${report} ms`);
  console.log(`page of ${megabytes(statSync(page).size)}`);

  function command(...args) {
    const started = performance.now();
    const { status } = spawnSync(CAPWRAP, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`capwrap ${args.join(' ')}: status ${status}`);
    return Math.round(performance.now() - started);
  }
  await inBrowser();
} finally {
  rmSync(home, { recursive: true, force: true });
  rmSync(page, { force: true });
}

async function inBrowser() {
  const browser = await chromium.launch({
    executablePath: values.chromium,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const tab = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    const timed = async (action) => {
      const started = performance.now();
      await action();
      await tab.evaluate(
        () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
      );
      return `${Math.round(performance.now() - started)} ms`;
    };
    const steps = {
      open: () => tab.goto(pathToFileURL(page).href),
      'filter by a count': () => tab.click('[data-count=leaked]'),
      'take it back': () => tab.click('[data-count=leaked]'),
      'filter by text': () => tab.fill('[name=text]', 'codex task-7'),
      'show all': () => tab.click('[type=reset]'),
      'zoom in': () => tab.click('[data-zoom=in]'),
      'zoom in again': () => tab.click('[data-zoom=in]'),
      'sort by actor': () => tab.getByRole('button', { name: 'Actor' }).click(),
    };
    for (const [name, action] of Object.entries(steps)) console.log(`${name}: ${await timed(action)}`);
    const heap = await tab.evaluate(() => performance.memory.usedJSHeapSize);
    console.log(`heap of the page: ${megabytes(heap)}`);
  } finally {
    await browser.close();
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
