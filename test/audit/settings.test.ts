/** How a log is kept: what may be said about it, by whom, and what a fault looks like. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { auditSettings } from '../../src/audit/settings.ts';
import { NO_ADMIN_CONFIG, parseAdminConfig } from '../../src/base/admin-config.ts';
import { type AuditSettings, DEFAULT_AUDIT_SETTINGS } from '../../src/base/audit-settings.ts';
import { tempDir } from '../helpers/cli.ts';

const uid = process.getuid?.() ?? -1;

function settingsFrom(text: string, admin = ''): { path: string; read: () => AuditSettings } {
  const stateDir = tempDir();
  const path = join(stateDir, 'config.yaml');
  writeFileSync(path, text, { mode: 0o600 });
  const config = parseAdminConfig(admin, '/etc/capwrap/config.yaml', uid);
  return { path, read: () => auditSettings(config, { stateDir, uid }) };
}

test('without a file they are the defaults', () => {
  expect(auditSettings(NO_ADMIN_CONFIG, { stateDir: tempDir(), uid })).toEqual(DEFAULT_AUDIT_SETTINGS);
  expect(settingsFrom('# nothing yet\n').read()).toEqual(DEFAULT_AUDIT_SETTINGS);
});

test.each<[string, Partial<AuditSettings>]>([
  ['rotate: {max_size: 128KiB}', { rotate: { maxBytes: 131_072, maxAge: null } }],
  ['rotate: {max_size: 65536, max_age: 12h}', { rotate: { maxBytes: 65_536, maxAge: 43_200 } }],
  ['rotate: {max_size: never, max_age: 30d}', { rotate: { maxBytes: null, maxAge: 2_592_000 } }],
  ['rotate: {max_age: never}', { rotate: { maxBytes: 67_108_864, maxAge: null } }],
  ['archives: {compress: true, keep: 400d}', { archives: { compress: true, keep: 34_560_000 } }],
  [
    'witness: {file: /mnt/audit//heads}',
    { witness: { file: '/mnt/audit/heads', syslog: null, required: false } },
  ],
  [
    'witness: {file: /a, syslog: journald, required: true}',
    { witness: { file: '/a', syslog: { kind: 'journald' }, required: true } },
  ],
  [
    "witness: {syslog: 'udp://127.0.0.1:514'}",
    { witness: { file: null, syslog: { kind: 'udp', host: '127.0.0.1', port: 514 }, required: false } },
  ],
  [
    "witness: {syslog: 'tcp://[::1]:601', required: true}",
    { witness: { file: null, syslog: { kind: 'tcp', host: '::1', port: 601 }, required: true } },
  ],
  ['archives: {keep: 24h}', { archives: { compress: false, keep: 86_400 } }],
  ['archives: {keep: never}', { archives: { compress: false, keep: null } }],
  ['archives: {}', { archives: { compress: false, keep: null } }],
])('%s', (line, expected) => {
  expect(settingsFrom(`audit: {${line}}\n`).read()).toEqual({ ...DEFAULT_AUDIT_SETTINGS, ...expected });
});

test("the administrator's sections win, each as a whole", () => {
  const { read } = settingsFrom(
    'audit: {rotate: {max_size: 64KiB, max_age: 1d}, archives: {keep: 1d}}\n',
    'audit: {archives: {compress: true}}\n',
  );
  expect(read()).toEqual({
    ...DEFAULT_AUDIT_SETTINGS,
    rotate: { maxBytes: 65_536, maxAge: 86_400 },
    archives: { compress: true, keep: null },
  });
});

const SYSLOG_FAULT =
  '"syslog" must be journald, udp://HOST:PORT or tcp://HOST:PORT, such as udp://127.0.0.1:514';

const SHORT_KEEP =
  '"keep" must be 1d or more, such as 400d, or never: with less, records go that limits, reconcile and readers still need';

describe('a fault', () => {
  test.each([
    ['audit: {archives: {keep: 1}}', '1:26', SHORT_KEEP],
    ['audit: {archives: {keep: 23h59m59s}}', '1:26', SHORT_KEEP],
    ['audit: {archives: {keep: 86399}}', '1:26', SHORT_KEEP],
    ['audits: {}', '1:1', '"audits" is not a key of "config"; known: audit'],
    ['audit: {rotate: {size: 1}}', '1:18', '"size" is not a key of "rotate"; known: max_size, max_age'],
    [
      'audit: {rotate: {max_size: 63KiB}}',
      '1:28',
      '"max_size" must be a size from 64KiB to 512MiB such as 16MiB, or never',
    ],
    [
      'audit: {rotate: {max_size: 1GiB}}',
      '1:28',
      '"max_size" must be a size from 64KiB to 512MiB such as 16MiB, or never',
    ],
    [
      'audit: {rotate: {max_size: 64MB}}',
      '1:28',
      '"max_size" must be a size from 64KiB to 512MiB such as 16MiB, or never',
    ],
    ['audit: {rotate: {max_age: 0d}}', '1:27', '"max_age" must be a time such as 30d or 12h, or never'],
    ['audit: {archives: {compress: yes}}', '1:30', '"compress" must be true or false'],
    ['audit: {archives: {keep: forever}}', '1:26', '"keep" must be a time such as 30d or 12h, or never'],
    ['audit: {witness: {}}', '1:18', '"witness" names no witness'],
    ['audit: {witness: {required: true}}', '1:18', '"witness" names no witness'],
    ['audit: {witness: {file: heads}}', '1:25', '"file" must be an absolute path'],
    ['audit: {witness: {syslog: true}}', '1:27', SYSLOG_FAULT],
    ['audit: {witness: {syslog: /dev/log}}', '1:27', SYSLOG_FAULT],
    ["audit: {witness: {syslog: 'udp://127.0.0.1'}}", '1:27', SYSLOG_FAULT],
    ["audit: {witness: {syslog: 'udp://127.0.0.1:65536'}}", '1:27', SYSLOG_FAULT],
    ["audit: {witness: {syslog: 'https://a:1'}}", '1:27', SYSLOG_FAULT],
    [
      "audit: {witness: {syslog: 'udp://a:1', required: true}}",
      '1:18',
      '"required" can\'t be had over udp, where nobody answers',
    ],
    ['audit: [a', null, 'is not valid YAML'],
  ])('%s has its place', (text, at, why) => {
    const { path, read } = settingsFrom(`${text}\n`);
    const message = at === null ? expect.stringContaining(why) : `"${path}:${at}" ${why}`;
    expect(read).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message }));
  });

  test('is a file that others can write, a link, or a folder', () => {
    const open = settingsFrom('audit: {}\n');
    chmodSync(open.path, 0o602);
    expect(open.read).toThrow(expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }));
    for (const make of [
      (path: string) => symlinkSync('/etc/hostname', path),
      (path: string) => mkdirSync(path),
    ]) {
      const stateDir = tempDir();
      make(join(stateDir, 'config.yaml'));
      expect(() => auditSettings(NO_ADMIN_CONFIG, { stateDir, uid })).toThrow(
        expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }),
      );
    }
  });
});
