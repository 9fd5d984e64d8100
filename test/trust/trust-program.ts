/** `trust` and `untrust` in a process of their own, which can have a terminal. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TrustOptions } from '../../src/commands/trust.ts';
import type { UntrustOptions } from '../../src/commands/untrust.ts';
import { readTrust } from '../../src/trust/pins.ts';
import { bundle } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';
import { onTerminal, type Step } from '../helpers/on-terminal.ts';
import { UID } from '../request/git-fixture.ts';

const PROGRAM = `
  import { writeFileSync } from 'node:fs';
  import { Chalk } from 'chalk';
  import { trust } from './src/commands/trust.ts';
  import { untrust } from './src/commands/untrust.ts';
  const { command, options, requireMapTrust, json, report, cwd, stateDir } = JSON.parse(process.argv[2]);
  let out = '', error = null, status = null;
  const plain = new Chalk({ level: 0 });
  const context = {
    ambient: {
      env: { CAPWRAP_HOME: stateDir, PATH: process.env.PATH }, cwd, uid: process.getuid(), gid: process.getgid(), pid: process.pid,
      platform: process.platform,
    },
    admin: { stateDir: null, requireMapTrust: requireMapTrust ?? null, approvers: [] },
    json: json ?? false, quiet: false, debug: false, colors: { stdout: plain, stderr: plain },
    out: async (text) => { out += text; },
    err: () => {},
  };
  try {
    status = await { trust, untrust }[command](context, options ?? {});
  } catch (fault) {
    error = { code: fault.code, message: fault.message, hint: fault.hint ?? null };
    if (!fault.code) throw fault;
  }
  writeFileSync(report, JSON.stringify({ status, out, error }));
`;

/** The program's text: the folder of a bundle goes with the first test. */
export async function trustProgram(): Promise<string> {
  return readFileSync(await bundle(PROGRAM), 'utf8');
}

export interface Call {
  readonly command?: 'trust' | 'untrust';
  readonly options?: TrustOptions & UntrustOptions;
  readonly requireMapTrust?: string;
  readonly json?: boolean;
}

export interface Result {
  readonly status: number | null;
  readonly out: string;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  readonly screen: string;
}

/** A repository with this map, and a state directory. */
export function makeTrustPlace(source: string, text: string) {
  const top = tempDir();
  const repo = join(top, 'repo');
  const stateDir = join(top, 'state');
  const program = join(top, 'program.mjs');
  const map = join(repo, 'capabilities.yaml');
  writeFileSync(program, source);
  mkdirSync(join(repo, '.git'), { recursive: true });
  writeFileSync(map, text, { mode: 0o644 });

  /** Calls the command: on a terminal where there are steps, else without one. */
  const call = async (request: Call, steps?: readonly Step[]): Promise<Result> => {
    const report = join(top, 'report.json');
    const argv = [program, JSON.stringify({ command: 'trust', ...request, report, cwd: repo, stateDir })];
    let screen = '';
    if (steps === undefined) await execa(process.execPath, argv, { detached: true, input: 'input\n' });
    else screen = (await onTerminal([process.execPath, ...argv], steps)).screen;
    return { ...(JSON.parse(readFileSync(report, 'utf8')) as Omit<Result, 'screen'>), screen };
  };
  return {
    top,
    repo,
    stateDir,
    map,
    call,
    put: (content: string) => writeFileSync(map, content, { mode: 0o644 }),
    store: () => readTrust({ stateDir, uid: UID }),
    records: () =>
      readFileSync(join(stateDir, 'audit.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

export type TrustWorld = ReturnType<typeof makeTrustPlace>;
