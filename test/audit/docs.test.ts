import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FILTER_FIELDS, ROW_TRAITS } from '../../src/audit/leases/row-filter.ts';
import { RECORD_FIELDS } from '../../src/audit/record/build-record.ts';
import { AUDIT_EVENTS } from '../../src/audit/record/record.ts';
import { APPROVAL_GRADES } from '../../src/base/approval-grade.ts';
import { OUTCOMES } from '../../src/broker/provider.ts';
import { LISTED } from '../../src/commands/audit-list.ts';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { CLOSED, GRANTED, seal, writeLog } from './samples.ts';

const DOC = readFileSync(join(ROOT, 'docs', 'audit.md'), 'utf8');
const section = (title: string) => DOC.split(/^## /m).find((part) => part.startsWith(title)) ?? '';

test('the documented fields are those that a record can have, in their order', () => {
  const documented = [...section('Fields').matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(documented).toEqual(RECORD_FIELDS);
});

test('every event and every outcome is documented', () => {
  for (const event of AUDIT_EVENTS) expect(section('The records')).toContain(`\`${event}\``);
  for (const outcome of OUTCOMES) expect(section('Fields')).toContain(`\`${outcome}\``);
});

test('the fields of a row as JSON and the filters are documented', () => {
  const reading = section('Reading the log');
  const [, fields = ''] = /no record has them: (.*?)\. Fields may/s.exec(reading) ?? [];
  expect([...fields.matchAll(/`(\w+)`/g)].map((match) => match[1])).toEqual(LISTED);
  const filters = [...Object.keys(FILTER_FIELDS), 'status', 'lease', 'event', 'since', 'until'];
  for (const name of filters) expect(reading).toContain(`\`--${name}\``);
  for (const word of [...ROW_TRAITS, ...APPROVAL_GRADES]) expect(reading).toContain(`\`${word}\``);
});

test('the documented shell lines check a record', () => {
  const path = writeLog(tempDir(), seal([GRANTED, CLOSED]));
  const lines = [...section('The chain').matchAll(/^ {4}(.*)$/gm)].map((match) => match[1] ?? '');
  const script = lines
    .filter((line) => !line.startsWith('{…'))
    .join('\n')
    .replace('12p', '2p')
    .replaceAll('audit.jsonl', `'${path}'`);
  const tool = script.replace('sha256sum', process.platform === 'darwin' ? 'shasum -a 256' : 'sha256sum');
  const printed = execFileSync('/bin/sh', ['-c', tool], { encoding: 'utf8' });
  const { hash } = JSON.parse(readFileSync(path, 'utf8').split('\n')[1] ?? '') as { hash: string };
  expect(printed.split(' ')[0]).toBe(hash);
});
