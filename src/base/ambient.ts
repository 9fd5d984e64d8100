/**
 * What the process was started with, read once. Everything else in capwrap gets it as a value.
 */
import { readlinkSync } from 'node:fs';
import { url as inspectorUrl } from 'node:inspector';
import { CapwrapError } from '../errors.ts';
import { LAUNCH_VARIABLE, type Launch, parseLaunch } from './launch.ts';

/** The caller's environment and identity, frozen at start. */
export interface Ambient {
  /** The caller's variables, on a null prototype. Only the rooms that the specification names may read it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly platform: NodeJS.Platform;
  readonly launch: Launch;
}

/**
 * Takes the environment away from the process and returns it as a value.
 *
 * Afterwards `process.env` holds only what keeps libraries from looking for standing credentials, so no
 * variable of the caller (`AWS_ENDPOINT_URL`, `HTTPS_PROXY`, `AWS_PROFILE`, …) can steer one of them.
 * Throws ERR_UNSAFE_START when Node was started in a way that has already run code or opened a debug channel.
 */
export function takeAmbient(): Ambient {
  const own = process.env; // capwrap reads its own environment here and nowhere else
  const env: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined) env[name] = value;
    delete own[name];
  }
  const launch = parseLaunch(env[LAUNCH_VARIABLE], process.pid);
  delete env[LAUNCH_VARIABLE];
  own['AWS_CONFIG_FILE'] = '/dev/null';
  own['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
  own['AWS_EC2_METADATA_DISABLED'] = 'true';
  refuseUnsafeStart(env);
  refuseInspector();
  return Object.freeze({
    env: Object.freeze(env),
    cwd: workingDirectory(),
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    pid: process.pid,
    platform: process.platform,
    launch,
  });
}

/** Where the process was started; a folder that is gone by now is named as it was. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // where there is a /proc
  }
  try {
    return readlinkSync('/proc/self/cwd').replace(/ \(deleted\)$/, '');
  } catch {
    return '/';
  }
}

/** What prints request headers; and what the launcher drops, so that it has had its effect where it got this far. */
const UNSAFE = ['NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE'];

function refuseUnsafeStart(env: Readonly<Record<string, string>>): void {
  for (const name of UNSAFE) {
    if (env[name]) {
      throw new CapwrapError(
        'ERR_UNSAFE_START',
        `"${name}" is set: it could print, copy or redirect a credential`,
        {
          hint: `env -u ${name} capwrap ...`,
        },
      );
    }
  }
}

/** SIGUSR1 before the handler of start.ts, or `--inspect`: whoever connects could read a lease from memory. */
export function refuseInspector(): void {
  if (inspectorUrl() === undefined) return;
  throw new CapwrapError(
    'ERR_UNSAFE_START',
    "Node's inspector is open: a credential could be read through it",
    { hint: 'start capwrap without --inspect, and send it no SIGUSR1' },
  );
}
