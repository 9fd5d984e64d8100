/** Provider `command` in the catalogue: its issuer is a shell script, and its network the exit status. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../src/broker/providers/command/index.ts';
import type { CommandConfig } from '../../../src/policy/providers/command.ts';
import { brokerContext, capability, LEASE_ID } from '../../helpers/aws.ts';
import { ROOT, tempDir } from '../../helpers/cli.ts';
import { movableClock, type ProviderFixture } from '../fixture.ts';
import { NOT_FOR_EYES } from '../kit.ts';

export const ISSUER = join(ROOT, 'test', 'issuers', 'command', 'issuer.sh');

/** A fresh folder of the script, with its secrets and its faults. */
export function startScriptIssuer() {
  const folder = tempDir();
  for (const name of ['faults', 'misbehave', 'live', 'hanging']) mkdirSync(join(folder, name));
  for (const name of ['met', 'secrets']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'offset'), '0\n');
  let offset = 0;
  let planned = 0;
  const lines = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
  return {
    folder,
    fault: (route: string, kind: string, times = 1, after = 0) => {
      const count = Number.isFinite(times) ? times : 'all';
      writeFileSync(join(folder, 'faults', String(planned++)), `${route} ${kind} ${after} ${count}\n`);
    },
    misbehave: (kind: string) => writeFileSync(join(folder, 'misbehave', kind), ''),
    met: () => lines('met').length,
    hanging: () => readdirSync(join(folder, 'hanging')).filter((pid) => isAlive(Number(pid))).length,
    secrets: () => lines('secrets'),
    live: () =>
      readdirSync(join(folder, 'live')).filter((id) => {
        const [until] = readFileSync(join(folder, 'live', id), 'utf8').split(' ');
        return Number(until) > Date.now() / 1000 + offset;
      }).length,
    passTime(seconds: number) {
      offset += seconds;
      writeFileSync(join(folder, 'offset'), `${offset}\n`);
    },
    noteSecret: (secret: string) => appendFileSync(join(folder, 'secrets'), `${secret}\n`),
  };
}

/** What a map says of it. */
export function scriptConfig(folder: string, changes: Partial<CommandConfig> = {}): CommandConfig {
  return {
    provider: 'command',
    argv: [ISSUER, 'issue'],
    end: [ISSUER, 'end'],
    probe: [ISSUER, 'probe'],
    principal: 'agent',
    scope: ['ledger:read'],
    timeout: 10,
    programEnv: { pass: [], set: { ISSUER: folder, ISSUER_SECRET: NOT_FOR_EYES } },
    folder,
    ...changes,
  };
}

/** A request for 15 minutes, whose token goes into TOKEN. */
export function commandRequest(config: CommandConfig, now = new Date(), ttl = 900) {
  return {
    leaseId: LEASE_ID,
    capability: { ...capability(config, 'read-ledger'), inject: { TOKEN: 'token' } },
    ttl,
    deadline: new Date(now.getTime() + ttl * 1000),
    approval: 'none' as const,
    actor: 'workstation-user',
    taskId: 'task-1',
  };
}

const NO_HTTP = 'a program prints or ends; it has no such answer';

export const commandFixture: ProviderFixture = {
  name: 'command',
  routes: { issue: ['issue'], end: ['end'], probe: ['probe'] },
  outcome: 'revoked_verified',
  without: {
    'issue: redirect': NO_HTTP,
    'end: redirect': NO_HTTP,
    'probe: redirect': NO_HTTP,
  },
  codes: {
    'issue: truncated': ['ERR_PROVIDER_INVALID_RESPONSE'], // half a document is no document
  },
  async start() {
    const issuer = startScriptIssuer();
    const clock = movableClock();
    return {
      provider: command,
      context: brokerContext({}, { now: clock.now }),
      issueRequest: () => commandRequest(scriptConfig(issuer.folder), clock.now()),
      fault: ({ route, fault, times, after }) => issuer.fault(route, fault, times, after),
      misbehave: issuer.misbehave,
      met: issuer.met,
      hanging: issuer.hanging,
      strayed: () => 0,
      secrets: issuer.secrets,
      live: issuer.live,
      passTime(seconds) {
        clock.passTime(seconds);
        issuer.passTime(seconds);
      },
      stop: async () => undefined,
    };
  },
};

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
