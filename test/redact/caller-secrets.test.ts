import { expect, it } from 'vitest';
import { callerSecrets } from '../../src/redact/caller-secrets.ts';

it('masks values of variables that are named like secrets', () => {
  const { mask } = callerSecrets({
    GITHUB_TOKEN: 'ghx-0123456789',
    DB_PASSWORD: 'correct-horse',
    EDITOR: 'emacs-nox',
  });
  expect(mask('curl -H ghx-0123456789 -p correct-horse emacs-nox')).toBe(
    'curl -H [capwrap:GITHUB_TOKEN] -p [capwrap:DB_PASSWORD] emacs-nox',
  );
});

it('leaves short values, and those that only say where a secret is', () => {
  const env = { API_TOKEN: '1234567', WEB_TOKEN_FILE: '/run/token/file', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' };
  expect(callerSecrets(env).mask('1234567 /run/token/file AKIDEXAMPLE')).toBe(
    '1234567 /run/token/file AKIDEXAMPLE',
  );
});

it('a name that could say something is not shown', () => {
  const mask = (text: string) => callerSecrets({ 'run ./harmless.sh TOKEN': 'rm -rf everything' }).mask(text);
  expect(mask('sh -c rm -rf everything')).toBe('sh -c [capwrap:secret]');
});

it('costs nothing where there are none', () => {
  expect(callerSecrets({}).mask('text')).toBe('text');
});
