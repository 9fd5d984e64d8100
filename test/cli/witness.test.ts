/** Runs leave the head of the log with a witness. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { auditVerify } from '../../src/commands/audit.ts';
import { printing } from '../commands/audit-context.ts';
import { localWorkspace, type Workspace } from '../helpers/workspace.ts';

function witnessed({ stateDir, folder }: Workspace, more = ''): string {
  const file = join(folder, 'heads.log');
  writeFileSync(file, '');
  writeFileSync(join(stateDir, 'config.yaml'), `audit: {witness: {file: ${file}${more}}}\n`, { mode: 0o600 });
  return file;
}

const headsIn = (text: string) => text.match(/capwrap-head:\S+/g) ?? [];
const seqOf = (head = '') => Number(head.split(':')[3]);

test('each run leaves its grant and its end, and they fit the log', async () => {
  const workspace = await localWorkspace();
  const file = witnessed(workspace, ', required: true');
  const result = await workspace.run('local', ['/bin/true']);
  expect(result.status, result.stderr).toBe(0);
  const records = workspace.records();
  const heads = headsIn(readFileSync(file, 'utf8'));
  expect(heads.map((head) => records[seqOf(head) - 1]?.['event'])).toEqual(['granted', 'closed']);
  const { context } = printing(workspace.stateDir);
  expect(await auditVerify(context, { anchor: [file] })).toBe(0);
});

test('without a witness that is required nothing is issued, and the grant has its end', async () => {
  const workspace = await localWorkspace();
  const file = witnessed(workspace, ', required: true');
  renameSync(file, `${file}.away`);
  const result = await workspace.run('local', ['/bin/sh', '-c', 'touch ran']);
  expect(result.status).toBe(125);
  expect(result.stderr).toContain(
    `capwrap: warning: the audit log's head was not left with its witness: "${file}" is missing`,
  );
  expect(result.stderr).toContain(
    `capwrap: error: "${file}" is missing, and without that witness of the audit log nothing is issued`,
  );
  expect(existsSync(join(workspace.folder, 'ran'))).toBe(false);
  expect(workspace.records().slice(-2)).toMatchObject([
    { event: 'granted' },
    {
      event: 'closed',
      outcome: 'not_issued',
      error: { code: 'ERR_AUDIT_WITNESS' },
      witness_error: `"${file}" is missing`,
    },
  ]);
});
