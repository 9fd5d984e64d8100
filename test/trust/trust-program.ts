/** `trust` and `untrust`: in a process of their own, which can have a terminal, where they ask; else in the test's. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { type TrustOptions, trust } from '../../src/commands/trust.ts';
import { type UntrustOptions, untrust } from '../../src/commands/untrust.ts';
import { CapwrapError } from '../../src/errors.ts';
import { readTrust } from '../../src/trust/pins.ts';
import { keptContext } from '../commands/command-context.ts';
import { bundle } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';
import { onTerminal, type Step } from '../helpers/on-terminal.ts';
import { ambientOf } from '../policy/ambient.ts';
import { UID } from '../request/git-fixture.ts';
import { pinMap } from './pin-map.ts';

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
  readonly requireMapTrust?: 'pinned';
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

  const ambient = ambientOf({ cwd: repo, env: { CAPWRAP_HOME: stateDir, PATH: process.env['PATH'] ?? '' } });

  const callHere = async ({ command = 'trust', options = {}, requireMapTrust, json = false }: Call) => {
    const admin = { ...NO_ADMIN_CONFIG, ...(requireMapTrust && { requireMapTrust }) };
    const { context, text } = keptContext(ambient, { admin, json });
    const end = { status: null, error: null, screen: '' };
    try {
      const status = await { trust, untrust }[command](context, options);
      return { ...end, status, out: text() };
    } catch (error) {
      if (!(error instanceof CapwrapError)) throw error;
      const { code, message, hint = null } = error;
      return { ...end, out: text(), error: { code, message, hint } };
    }
  };
  /** Calls the command: on a terminal where there are steps, else without one. */
  const call = async (request: Call, steps?: readonly Step[]): Promise<Result> => {
    if (steps === undefined && !asks(request)) return callHere(request);
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
    /** As if somebody had confirmed it on a terminal. */
    pin: (content: string) => {
      writeFileSync(map, content, { mode: 0o644 });
      return pinMap(ambient, stateDir);
    },
    store: () => readTrust({ stateDir, uid: UID }),
    records: () =>
      readFileSync(join(stateDir, 'audit.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** True where the answer would come from the terminal of whoever runs the tests, if there is one. */
function asks({ command = 'trust', options = {} }: Call): boolean {
  const { sha256, list, statement, signature, key, forget } = options;
  if (command === 'untrust') return forget === true && sha256 === undefined;
  return sha256 === undefined && !list && !statement && (signature === undefined || key !== undefined);
}

export type TrustWorld = ReturnType<typeof makeTrustPlace>;
