import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { type AuditReportOptions, auditReport } from '../../src/commands/audit-report.ts';
import { DENIED, GRANTED, ISSUED_RECORD, QUIET, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

const RECORDS: readonly AuditFields[] = [GRANTED, ISSUED_RECORD, QUIET, DENIED];

async function report(
  options: Partial<AuditReportOptions> = {},
  lines: readonly string[] = seal(RECORDS),
  flags: { json?: boolean; quiet?: boolean } = {},
) {
  const stateDir = tempDir();
  const path = writeLog(stateDir, lines);
  const output = join(tempDir(), 'report.html');
  const printed = printing(stateDir, flags);
  const status = await auditReport(printed.context, { output, ...options });
  const page = options.output === '-' ? printed.stdout() : readFileSync(options.output ?? output, 'utf8');
  return { status, page, output, path, stdout: printed.stdout(), stderr: printed.stderr() };
}

/** What is read without code: between the header and the page's own controls. */
const topOf = (page: string) => page.slice(page.indexOf('<h1>'), page.indexOf('id="app"'));

test('the page has the state of the log and the counts in it, and says what it is', async () => {
  const { status, page, output, path, stdout, stderr } = await report();
  expect(status).toBe(0);
  const top = topOf(page);
  expect(top).toContain('the chain is whole: 4 records');
  expect(top).toContain(`<code>${path}</code>`);
  expect(top).toMatch(/<code>seq=4 hash=[0-9a-f]{64}<\/code>/);
  expect(top).toContain('a chain alone cannot show that records were cut from its end');
  expect(top).toContain('all leases and denials of the log are in this page: 2.');
  expect(top).toMatch(/data-count="leases"[^>]*><b>1<\/b> leases/);
  expect(top).toMatch(/data-count="denied"[^>]*><b>1<\/b> denied/);
  expect([stdout, stderr]).toEqual(['', `${output}: leases and denials: 2\n`]);
});

test('without code, what to look at first is a table', async () => {
  const { page } = await report({}, seal([GRANTED, QUIET, DENIED]));
  const [, inside = ''] = /<noscript>(.*)<\/noscript>/s.exec(page) ?? [];
  expect(inside).toContain('To look at first: 1');
  expect(inside).toContain(`<td class="long">${DENIED.lease_id}</td>`);
  expect(inside).not.toContain(GRANTED.lease_id);
});

test('it goes to standard output, to a tool, or without a word', async () => {
  expect((await report({ output: '-' })).page).toMatch(/^<!doctype html>.*<\/html>\n$/s);
  const json = await report({}, seal(RECORDS), { json: true });
  expect(JSON.parse(json.stdout)).toEqual({
    path: json.output,
    rows: 2,
    filtered: 0,
    too_many: 0,
    unreadable: 0,
    chain_ok: true,
  });
  const quiet = await report({}, seal(RECORDS), { quiet: true });
  expect([quiet.stdout, quiet.stderr]).toEqual(['', '']);
});

test('a filter limits what goes in, and the page and the command say so', async () => {
  const { page, stderr, status } = await report({ outcome: 'expires', task: 'task-12' });
  expect(topOf(page)).toContain(
    'only what fits --task task-12 --outcome expires is in this page: 1; left out: 1.',
  );
  expect(topOf(page)).toContain('the chain is whole: 4 records');
  expect(page).not.toContain(DENIED.lease_id);
  expect(stderr).toContain('left out by the filter: 1\n');
  expect(status).toBe(0);
});

test('too many for a page are left out, and the page and the command say so', async () => {
  const stateDir = tempDir();
  writeLog(stateDir, seal(RECORDS));
  const { context, stdout, stderr } = printing(stateDir);
  expect(await auditReport(context, { output: '-' }, { leases: 1, bytes: 1e9 })).toBe(0);
  expect(topOf(stdout())).toContain(
    'the oldest were too many for a page and are left out: 1; to see them: --since and --until',
  );
  expect(stderr()).toBe('left out as too many for a page, the oldest: 1; use --since and --until\n');
});

describe('a log that is not whole', () => {
  const [first = '', ...rest] = seal(RECORDS);
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    [
      'changed',
      [first.replace('task-12', 'task-13'), ...rest],
      'line 1 is bad: its hash does not fit its bytes',
    ],
    ['cut in the middle', rest, 'line 1 is bad: the log begins with seq 2, and no record says'],
    ['written into', [first, 'garbage', ...rest], 'lines that are no record, and are not shown below: 1'],
  ];
  test.each(cases)('%s is shown as such, and the status is 1', async (_name, lines, words) => {
    const { status, page, stderr } = await report({}, lines);
    expect(status).toBe(1);
    expect(topOf(page)).toContain(words);
    expect(topOf(page)).toContain('class="chain bad"');
    expect(stderr).toContain(
      'capwrap: warning: the log is not whole, and the page says so; see capwrap audit verify',
    );
  });

  test('torn at its end is told apart', async () => {
    const stateDir = tempDir();
    appendFileSync(writeLog(stateDir, seal(RECORDS)), '{"timestamp":');
    const { context, stdout } = printing(stateDir);
    expect(await auditReport(context, { output: '-' })).toBe(1);
    expect(topOf(stdout())).toContain('line 5 is torn: 13 bytes without an end');
  });
});

test('behind an archive that is damaged nothing is shown, and that is said', async () => {
  const stateDir = tempDir();
  const lines = seal([DENIED, ...RECORDS.slice(0, 3)]);
  writeLog(stateDir, lines.slice(1));
  const archive = join(stateDir, 'audit-000000000001-000000000001.jsonl.gz');
  writeFileSync(archive, 'no gzip', { mode: 0o600 });
  const { context, stdout } = printing(stateDir);
  expect(await auditReport(context, { output: '-' })).toBe(1);
  const top = topOf(stdout());
  expect(top).toContain('class="chain bad"');
  expect(top).toContain(`what is older is not shown below, since &#34;${archive}&#34; is damaged`);
  expect(top).toContain('all leases and denials of the log that could be read are in this page: 1.');
});

test('where there is no log there is no page', async () => {
  const stateDir = tempDir();
  const output = join(tempDir(), 'report.html');
  const { context, stderr } = printing(stateDir);
  expect(await auditReport(context, { output })).toBe(1);
  expect(stderr()).toContain('there is no audit log yet');
  expect(lstatSync(output, { throwIfNoEntry: false })).toBeUndefined();
});

describe('the file', () => {
  test('is for its user alone, and takes the place of an older one with nothing left over', async () => {
    const output = join(tempDir(), 'report.html');
    writeFileSync(output, 'older', { mode: 0o644 });
    expect((await report({ output })).page).toContain('<!doctype html>');
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(output, '..'))).toEqual(['report.html']);
  });

  const refused: readonly (readonly [string, (path: string) => void, string])[] = [
    ['a symbolic link', (path) => symlinkSync('/dev/null', path), 'is a symbolic link'],
    ['a directory', (path) => mkdirSync(path), 'is a directory'],
  ];
  test.each(refused)('is never written through %s', async (_name, make, words) => {
    const output = join(tempDir(), 'report.html');
    make(output);
    await expect(report({ output })).rejects.toMatchObject({
      code: 'ERR_OUTPUT_WRITE',
      message: `"${output}" ${words}`,
    });
    expect(lstatSync(output).isFile()).toBe(false);
  });

  test('in a folder that is not there is an error', async () => {
    const output = join(tempDir(), 'none', 'report.html');
    await expect(report({ output })).rejects.toMatchObject({
      code: 'ERR_OUTPUT_WRITE',
      message: `"${output}" can't be written (ENOENT)`,
    });
  });

  test('never takes the place of the log, by whatever way', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal(RECORDS));
    const way = join(tempDir(), 'way');
    symlinkSync(stateDir, way);
    for (const output of [path, join(way, 'audit.jsonl'), join(stateDir, 'report.html')]) {
      await expect(auditReport(printing(stateDir).context, { output })).rejects.toMatchObject({
        code: 'ERR_USAGE',
        message: `"${output}" lies in capwrap's own state directory`,
      });
    }
    expect(readdirSync(stateDir)).toEqual(['audit.jsonl']);
  });
});

test('what a caller chose is text, wherever it stands', async () => {
  const hostile = `</script></noscript><!--report:data--><img src=x onerror="alert(1)">'&\u202e\u2028\u0007`;
  const record = { ...DENIED, task_id: hostile, capability: hostile, reason: hostile, command: [hostile] };
  const { page } = await report({}, seal([record]));
  const plain = await report({}, seal([DENIED]));
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/[\u202e\u2028\u0007]/);
  const tags = (text: string) => text.match(/<\/?[a-z!][^>]*>/g)?.map((tag) => tag.split(' ')[0]);
  expect(tags(page)).toEqual(tags(plain.page));
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page) ?? [];
  expect(JSON.stringify(JSON.parse(json))).toContain(JSON.stringify(hostile).slice(1, -1));
});

test('the policy of the page allows its own code and style, and nothing else', async () => {
  const { page } = await report();
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'$/,
  );
  expect(topOf(page)).not.toMatch(/\b(?:src|href|style|on\w+)=/);
});

test.each([
  [{ since: 'yesterday' }, '"--since yesterday" is neither a duration nor a date'],
  [{ until: 'tomorrow' }, '"--until tomorrow" is neither a duration nor a date'],
  [{ outcome: 'fine' }, /^"--outcome" must be one of /],
])('a filter that fits nothing by its form is refused: %o', async (options, message) => {
  await expect(report(options)).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
});
