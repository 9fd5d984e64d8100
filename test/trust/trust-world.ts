/** A repository with a map, the state directory beside it, approvers with keys, and the commands that change trust. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AdminConfig, NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { type TrustOptions, trust } from '../../src/commands/trust.ts';
import { type UntrustOptions, untrust } from '../../src/commands/untrust.ts';
import { readJudgedMap } from '../../src/decide.ts';
import { findMapFile, readMapFile } from '../../src/policy/map-file.ts';
import type { TrustJudgement } from '../../src/trust/judge.ts';
import type { Pin } from '../../src/trust/pin.ts';
import { MAP_NAMESPACE } from '../../src/trust/statement.ts';
import { keptContext } from '../commands/command-context.ts';
import { tempDir } from '../helpers/cli.ts';
import { ambientOf } from '../policy/ambient.ts';
import { fakeGitDir, UID } from '../request/git-fixture.ts';
import { type Ed25519Key, makeEd25519Key } from '../sshsig/build-sk.ts';
import { pinMap } from './pin-map.ts';

export const ALICE = makeEd25519Key('alice@laptop');
export const BOB = makeEd25519Key('bob@desk');
export const MALLORY = makeEd25519Key('mallory@agent');

/** A map whose rule is granted for `ttl`, with these approvers. */
export function mapText(ttl: string, approvers: Readonly<Record<string, Ed25519Key>> = {}): string {
  const names = Object.entries(approvers).map(([name, key]) => `  ${name}: {keys: ["${key.publicLine}"]}\n`);
  return `version: 1
${names.length === 0 ? '' : `approvers:\n${names.join('')}`}capabilities:
  read-ci-artifacts:
    provider: local-issuer
    audience: artifact-proxy
    scope: [artifacts:read]
    ttl: ${ttl}
    rules:
      - allow: {repo: acme/web-app}
`;
}

/** A folder that git takes for a repository with this remote; none without one. */
export function makeRepo(folder: string, remote: string | null): string {
  mkdirSync(folder, { recursive: true });
  setRemote(folder, remote);
  return folder;
}

export function setRemote(folder: string, remote: string | null): void {
  const url = remote === null ? '' : `[remote "origin"]\n\turl = git@github.com:${remote}.git\n`;
  fakeGitDir(join(folder, '.git'), { config: `[core]\n\tbare = false\n${url}` });
}

export function makeWorld(admin: Partial<AdminConfig> = {}) {
  const top = tempDir();
  const repo = makeRepo(join(top, 'repo'), 'acme/web-app');
  const map = join(repo, 'capabilities.yaml');
  const stateDir = join(top, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
  const trustFile = join(stateDir, 'trust.json');

  const contextIn = (cwd: string, json = false) =>
    keptContext(ambientOf({ cwd, env: { CAPWRAP_HOME: stateDir, HOME: top } }), {
      admin: { ...NO_ADMIN_CONFIG, ...admin },
      quiet: true,
      json,
    });
  const run = async (command: typeof trust | typeof untrust, options: TrustOptions & UntrustOptions) => {
    const { context, text } = contextIn(repo);
    const status = await command(context, options);
    return { status, out: text() };
  };
  const statement = async () => (await run(trust, { statement: true })).out;

  return {
    top,
    repo,
    map,
    stateDir,
    trustFile,
    place: { stateDir, uid: UID },
    put: (text: string, file = map) => writeFileSync(file, text, { mode: 0o644 }),
    sha256: () =>
      readMapFile(findMapFile(contextIn(repo).context.ambient, map), contextIn(repo).context.ambient).sha256,
    /** As if somebody had confirmed it on a terminal. */
    pin: (text?: string, terms: Partial<Pin> = {}) => {
      if (text !== undefined) writeFileSync(map, text, { mode: 0o644 });
      return pinMap(contextIn(repo).context.ambient, stateDir, map, terms);
    },
    trust: (options: TrustOptions = {}) => run(trust, options),
    /** What a person on a terminal would be shown. */
    show: async () => {
      const { context, text } = contextIn(repo);
      const error = await trust(context, {}).catch((fault: unknown) => fault);
      return { out: text(), error };
    },
    untrust: (options: UntrustOptions = {}) => run(untrust, options),
    statement,
    /** Signs the statement, or another text in its place, and hands the signature in. */
    sign: async (key: Ed25519Key, changes: { text?: string; namespace?: string; beside?: boolean } = {}) => {
      const text = changes.text ?? (await statement());
      const file = join(top, 'map.json');
      if (changes.beside !== false) writeFileSync(file, text);
      writeFileSync(`${file}.sig`, key.sign(text, changes.namespace ?? MAP_NAMESPACE));
      return run(trust, { signature: `${file}.sig` });
    },
    /** What a run would be told. */
    judge: async (explicit?: string, cwd = repo): Promise<TrustJudgement> =>
      (await readJudgedMap(contextIn(cwd).context, explicit)).trust,
    list: async () => {
      const { context, text } = contextIn(repo, true);
      await trust(context, { list: true });
      return JSON.parse(text());
    },
    store: () => JSON.parse(readFileSync(trustFile, 'utf8')),
    /** An agent's edit of the file that capwrap keeps. */
    forge: (change: (store: ReturnType<typeof JSON.parse>) => void) => {
      const store = JSON.parse(readFileSync(trustFile, 'utf8'));
      change(store);
      writeFileSync(trustFile, JSON.stringify(store), { mode: 0o600 });
    },
    records: () =>
      readFileSync(join(stateDir, 'audit.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

export type World = ReturnType<typeof makeWorld>;
