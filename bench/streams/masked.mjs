// capwrap's runner alone, with five credentials in all their forms: `masked CREDENTIALS COMMAND...`, where CREDENTIALS
// is the name of a set in secrets.mjs. It is bundled as capwrap is, and started behind a copy of the launcher.
import { LAUNCH_VARIABLE, parseLaunch } from '../../src/base/launch.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import { assertStartable } from '../../src/runner/command-error.ts';
import { endLike, endOf } from '../../src/runner/exit-status.ts';
import { resolveCommand } from '../../src/runner/resolve-command.ts';
import { runChild } from '../../src/runner/run-child.ts';
import { installSignals } from '../../src/runner/signals.ts';
import { CREDENTIALS, SELF_OVERLAPPING } from './secrets.mjs';

const sets = { CREDENTIALS, SELF_OVERLAPPING };
void run(process.argv.slice(2));

async function run([set, ...argv]) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const launch = parseLaunch(process.env[LAUNCH_VARIABLE], process.pid);
  const signals = installSignals(launch.ignored);
  const secrets = new SecretRegistry();
  for (const [name, value] of Object.entries(sets[set])) secrets.register(name, value);
  const result = await runChild({
    command: assertStartable(resolveCommand(argv, { cwd: process.cwd(), path: env.PATH, sha256: false })),
    env,
    redactors: { stdout: secrets.redactor(), stderr: secrets.redactor(), terminal: secrets.redactor() },
    deadline: new Date(Date.now() + 600_000),
    killAfterMs: 5000,
    signals,
    launch,
    terminal: 'masked',
  });
  process.exitCode = await endLike(endOf(result, signals));
}
