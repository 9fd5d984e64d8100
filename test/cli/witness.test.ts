/** Runs leave the head of the log with witnesses: in a file, and in what AWS records of a session. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { auditVerify } from '../../src/commands/audit.ts';
import { printing } from '../commands/audit-context.ts';
import { awsWorkspace, localWorkspace, type Workspace } from '../helpers/workspace.ts';

function witnessed({ stateDir, folder }: Workspace, more = ''): string {
  const file = join(folder, 'heads.log');
  writeFileSync(file, '');
  writeFileSync(join(stateDir, 'config.yaml'), `audit: {witness: {file: ${file}${more}}}\n`, { mode: 0o600 });
  return file;
}

const headsIn = (text: string) => text.match(/capwrap-head:\S+/g) ?? [];
const seqOf = (head = '') => Number(head.split(':')[3]);

test('the tag of a session shows the record of its grant, and both witnesses fit the log', async () => {
  const workspace = await awsWorkspace('    session_tags: {log: "{audit_head}"}\n');
  const file = witnessed(workspace, ', required: true');
  const result = await workspace.run('preview', ['/bin/true']);
  expect(result.status, result.stderr).toBe(0);
  const records = workspace.records();
  const heads = headsIn(readFileSync(file, 'utf8'));
  expect(heads.map((head) => records[seqOf(head) - 1]?.['event'])).toEqual(['granted', 'closed']);
  expect(workspace.sandbox.issuedSessions.at(-1)?.principal).toMatchObject({ tags: { log: heads[0] } });

  const event = join(workspace.folder, 'cloudtrail.json');
  writeFileSync(
    event,
    JSON.stringify({ Records: [{ requestParameters: { tags: [{ key: 'log', value: heads[0] }] } }] }),
  );
  const { context, stdout } = printing(workspace.stateDir, { json: true });
  expect(await auditVerify(context, { anchor: [event, file] })).toBe(0);
  expect(JSON.parse(stdout()).anchors).toMatchObject({ matching: 2, covered_by_chain_alone: 0 });
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
