/** The page as an operator has it: opened from a file, in a real browser. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { auditReport } from '../../src/commands/audit-report.ts';
import { manyLeases } from '../audit/many-leases.ts';
import { DENIED, GRANTED, ISSUED_RECORD, QUIET, seal, writeLog } from '../audit/samples.ts';
import { printing } from '../commands/audit-context.ts';
import { CHROMIUM, CHROMIUM_ARGS } from '../helpers/chromium.ts';
import { tempDir } from '../helpers/cli.ts';
import { contrastFaults, structureFaults } from './accessible.ts';

const HOSTILE = `</script><img src=x onerror="document.title='owned'">=cmd|' /C calc'!A1 \u202egnp.exe\u2028\u001b[31m`;
const LEAK = {
  lease_id: '1eak000000000001',
  capability: 'rotate-cache-key',
  task_id: HOSTILE,
  justification: HOSTILE,
};
const OPEN = { lease_id: '0pen000000000002', actor: 'codex' };
const RECORDS: readonly AuditFields[] = [
  GRANTED,
  ISSUED_RECORD,
  QUIET,
  { ...GRANTED, ...LEAK },
  { ...ISSUED_RECORD, ...LEAK },
  { ...QUIET, ...LEAK, end_reason: 'leak', command: ['./rotate.sh', HOSTILE] },
  { ...DENIED, branch: HOSTILE },
  { ...GRANTED, ...OPEN, approval: 'granted', approval_grade: 'ssh_key', approver: 'dana@acme.test' },
  { ...ISSUED_RECORD, ...OPEN },
];

async function pageOf(lines: readonly string[]): Promise<string> {
  const stateDir = tempDir();
  writeLog(stateDir, lines);
  const output = join(tempDir(), 'report.html');
  await auditReport(printing(stateDir, { quiet: true }).context, { output });
  return pathToFileURL(output).href;
}

describe.skipIf(CHROMIUM === undefined)('in Chromium (CAPWRAP_TEST_CHROMIUM names another one)', () => {
  let browser: Browser;
  /** One tab for most of the tests: a new one costs three times what a page in it does. */
  let tab: Page;
  /** The page of RECORDS, which the browser compiles once. */
  let report: string;
  beforeAll(async () => {
    report = await pageOf(seal(RECORDS));
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: CHROMIUM_ARGS });
    tab = await newTab();
  });
  afterAll(() => browser?.close());

  /** Whatever the browser complains of, and whatever it asks for beside the page. */
  let complaints: string[] = [];
  let url = '';

  async function newTab(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      offline: true,
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== url) complaints.push(request.url());
    });
    return page;
  }

  async function open(
    file: string,
    { page = tab, colorScheme = 'light' }: { page?: Page; colorScheme?: 'light' | 'dark' } = {},
  ): Promise<Page> {
    await page.emulateMedia({ colorScheme });
    await page.mouse.move(0, 0);
    url = file;
    complaints = [];
    await page.goto(url);
    return page;
  }

  const cells = (page: Page, column: number) =>
    page.locator(`#rows tbody td:nth-child(${column})`).allTextContents();
  const leases = (page: Page) => cells(page, 2);

  test('it opens without a request, an error or a breach of its policy', async () => {
    const page = await open(report);
    expect(await leases(page)).toEqual([OPEN.lease_id, DENIED.lease_id, LEAK.lease_id, GRANTED.lease_id]);
    expect(await page.locator('.chain .verdict').textContent()).toContain('the chain is whole: 9 records');
    expect(await page.locator('.counts li').allInnerTexts()).toEqual([
      '3\nleases',
      '1\nwith a leak',
      '0\nreused',
      '1\nunfinished',
      '0\nnot revoked',
      '0\nrevoked, not verified',
      '1\ndenied',
    ]);
    expect(await page.locator('#chart canvas').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  test('filters take the same rows from timeline and table', async () => {
    const page = await open(report);
    const chart = () => page.locator('#chart').getAttribute('aria-label');
    const matching = () => page.locator('#matching').textContent();
    await page.getByRole('button', { name: 'with a leak' }).click();
    await expect.poll(() => leases(page)).toEqual([LEAK.lease_id]);
    expect(await chart()).toBe('Timeline of rotate-cache-key');
    expect(await matching()).toBe('1 of 4 leases and denials');
    await page.getByRole('button', { name: 'with a leak' }).click();
    await page.locator('[name=actor]').selectOption('codex');
    await expect.poll(() => leases(page)).toEqual([OPEN.lease_id]);
    await page.locator('[name=grade]').selectOption('ssh_key');
    await page.getByLabel('Text').fill('nothing has this');
    await expect.poll(matching).toBe('0 of 4 leases and denials');
    await page.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(matching).toBe('4 of 4 leases and denials');
    await page.locator('[name=state]').selectOption('denied');
    await expect.poll(() => leases(page)).toEqual([DENIED.lease_id]);
    expect(complaints).toEqual([]);
  });

  test('a window of time is set by hand or by zoom, and can be wrong', async () => {
    const page = await open(
      await pageOf(seal([...RECORDS, { ...DENIED, lease_id: 'later' }], Date.parse('2026-03-01T12:00:00Z'))),
    );
    await page.getByLabel('To (UTC)').fill('2026-03-01 12:00:01');
    await page.getByLabel('To (UTC)').press('Enter');
    await expect.poll(() => leases(page)).toEqual([GRANTED.lease_id]);
    await page.getByLabel('To (UTC)').fill('at noon');
    await page.getByLabel('To (UTC)').blur();
    await expect.poll(() => page.getByLabel('To (UTC)').getAttribute('aria-invalid')).toBe('true');
    expect(await leases(page)).toEqual([GRANTED.lease_id]);
    await page.getByRole('button', { name: 'Whole time' }).click();
    await expect.poll(() => leases(page)).toHaveLength(5);
    for (let at = 0; at < 3; at++) await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(await page.getByLabel('From (UTC)').inputValue()).toMatch(/^2026-03-01 12:/);
    expect(complaints).toEqual([]);
  });

  test('a click on a bar opens its story, and what is hostile in it is text', async () => {
    const page = await open(await pageOf(seal(RECORDS.slice(3, 6))));
    const chart = await page.locator('#chart').boundingBox();
    await page.mouse.move((chart?.x ?? 0) + 600, (chart?.y ?? 0) + 16);
    await expect
      .poll(() => page.locator('#tip').innerText())
      .toContain('rotate-cache-key · 1eak000000000001\nleak, left to expire');
    await page.mouse.click((chart?.x ?? 0) + 600, (chart?.y ?? 0) + 16);
    const story = page.getByRole('dialog');
    expect(await story.getByRole('heading').first().textContent()).toBe('Lease 1eak000000000001');
    const text = (await story.textContent()) ?? '';
    expect(text).toContain(
      `justification</script><img src=x onerror="document.title='owned'">=cmd|' /C calc'!A1 \\u{202e}gnp.exe\\u{2028}\\u{1b}[31m`,
    );
    expect(text).toContain('the child exited 0 after 3.2 s, because a secret was in its output');
    expect(await page.evaluate(() => document.querySelectorAll('img, iframe, a[href^="http"]').length)).toBe(
      0,
    );
    expect(await page.title()).toBe('capwrap audit report');
    expect(complaints).toEqual([]);
  });

  test('no code can make markup of a text, nor ask for anything', async () => {
    const page = await open(report);
    const result = await page.evaluate(async () => {
      const said: string[] = [];
      try {
        document.body.innerHTML = '<p>';
      } catch (error) {
        said.push((error as Error).name);
      }
      const image = document.createElement('img');
      const failed = new Promise((resolve) => image.addEventListener('error', resolve));
      image.src = 'http://127.0.0.1:9/x';
      document.body.append(image);
      await failed;
      await fetch('http://127.0.0.1:9/').catch((error: Error) => said.push(error.name));
      return said;
    });
    expect(result).toEqual(['TypeError', 'TypeError']);
    expect(complaints.join('\n')).toContain('img-src');
  });

  test('all of it can be done with the keyboard', async () => {
    const page = await open(report);
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press('Tab');
    await expect.poll(focused).toBe('Skip to the table');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('Leases and denials');
    await page.getByRole('button', { name: 'Lease', exact: true }).press('Enter');
    expect(await page.locator('th[aria-sort]').textContent()).toBe('Lease ↑');
    expect(await leases(page)).toEqual([OPEN.lease_id, DENIED.lease_id, LEAK.lease_id, GRANTED.lease_id]);
    await page.getByRole('button', { name: LEAK.lease_id }).press('Enter');
    const title = () => page.locator('#story h2').textContent();
    expect(await title()).toBe(`Lease ${LEAK.lease_id}`);
    await page.getByRole('button', { name: 'Next' }).last().press('Enter');
    expect(await title()).toBe(`Lease ${GRANTED.lease_id}`);
    await page.keyboard.press('Escape');
    await page.locator('#story').waitFor({ state: 'hidden' });
    await expect.poll(focused).toBe(LEAK.lease_id);
  });

  test('it can be read in light, in dark and by a screen reader', async () => {
    const page = await open(report, { colorScheme: 'dark' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe('rgb(20, 23, 27)');
    await page.getByRole('button', { name: LEAK.lease_id }).click();
    expect(await page.evaluate(contrastFaults)).toEqual([]);
    expect(await page.evaluate(structureFaults)).toEqual([]);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await ground()).toBe('rgb(255, 255, 255)');
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    expect(await ground()).toBe('rgb(20, 23, 27)');
    await page.getByLabel('Colours').selectOption('light');
    expect(await ground()).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate(contrastFaults)).toEqual([]);
  });

  test('without JavaScript the state of the log and what matters most are there', async () => {
    const page = await open(report, { page: await newTab({ javaScriptEnabled: false }) });
    const text = await page.locator('main').innerText();
    expect(text).toContain('the chain is whole: 9 records');
    expect(text).toContain('To look at first: 3');
    expect(text).toContain(LEAK.lease_id);
    expect(await page.locator('#app').isVisible()).toBe(false);
  });

  test('of hundreds of leases the table has pages, and each bar is found by its filter', async () => {
    const from = Date.parse('2026-03-01T00:00:00Z');
    const page = await open(await pageOf([...manyLeases(600, from, from + 7 * 86_400_000)]));
    expect(await page.locator('#page').textContent()).toBe('rows 1 to 100 of 600, page 1 of 6');
    await page.getByRole('button', { name: 'Last' }).click();
    expect(await page.locator('#page').textContent()).toBe('rows 501 to 600 of 600, page 6 of 6');
    await page.getByLabel('Text').fill('FEAT/7 read-ci-artifacts');
    await expect.poll(() => page.locator('#page').textContent()).toMatch(/ of \d\d?, page 1 of 1$/);
    for (const text of await page.locator('#rows tbody tr').allTextContents()) {
      expect(text).toMatch(/read-ci-artifacts.*feat\/7/);
    }
    expect(complaints).toEqual([]);
  });
});
