/** `capwrap init`: a starter map for this repository, or the IAM role that a capability of the map needs. */
import { closeSync, fchmodSync, openSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { escapeText, toJson } from '../base/escape.ts';
import { writeAll, writePrivateFile } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { MAP_NAME } from '../policy/map-file.ts';
import { gitOptions } from '../request/gather-facts.ts';
import { readGit } from '../request/git/read-git.ts';
import type { Command } from './command.ts';
import { printAwsRole } from './init-aws-role.ts';
import type { InitOptions } from './init-options.ts';
import { starterMap } from './init-starter.ts';

/** Maps are reviewed, so others may read them; nobody else may write them, or they would not be trusted. */
const MAP_MODE = 0o644;

export const init: Command<InitOptions> = async (context, options) => {
  if (options.awsRole !== undefined) {
    return printAwsRole(context, { ...options, awsRole: options.awsRole });
  }
  if (options.principal !== undefined || options.oidcProvider !== undefined) {
    throw new CapwrapError('ERR_USAGE', '"--principal" and "--oidc-provider" belong to --aws-role', {
      hint: 'capwrap init --aws-role CAPABILITY --principal ARN',
    });
  }
  const { cwd } = context.ambient;
  const git = readGit(cwd, gitOptions(context.ambient));
  const path = options.file === undefined ? join(git.workTree ?? cwd, MAP_NAME) : resolve(cwd, options.file);
  writeMap(path, starterMap(git), options.force ?? false, cwd);
  const next = [
    'capwrap issuer init',
    'capwrap check',
    'capwrap trust',
    'capwrap run -c read-artifacts -- env',
  ];
  if (context.json) {
    await context.out(`${toJson({ path, repo: git.repo.value, next }, 2)}\n`);
    return 0;
  }
  const { bold, dim } = context.colors.stdout;
  const lines = [
    `${bold(escapeText(shown(path, cwd)))} is written. Read it, then:`,
    ...next.map((command) => `  ${command}`),
    ...(git.repo.value === null
      ? [dim(`The repository could not be told (${escapeText(git.repo.from)}): write its name in the rules.`)]
      : []),
  ];
  await context.out(`${lines.join('\n')}\n`);
  return 0;
};

function writeMap(path: string, text: string, force: boolean, cwd: string): void {
  if (force) {
    writePrivateFile(path, text, MAP_MODE);
    return;
  }
  let fd: number;
  try {
    fd = openSync(path, 'wx', MAP_MODE);
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    if (code === 'EEXIST') {
      throw new CapwrapError('ERR_USAGE', `"${shown(path, cwd)}" exists already`, {
        hint: `capwrap check ${shellQuote(shown(path, cwd))}`,
      });
    }
    throw new CapwrapError('ERR_USAGE', `"${shown(path, cwd)}" can't be written (${code})`, {
      hint: `ls -ld ${shellQuote(dirname(path))}`,
    });
  }
  try {
    fchmodSync(fd, MAP_MODE);
    writeAll(fd, Buffer.from(text));
  } finally {
    closeSync(fd);
  }
}

function shown(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}
