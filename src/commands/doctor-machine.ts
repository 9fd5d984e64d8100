/** What `capwrap doctor` says of the machine: Node, user, administrator's config, state, audit log, issuer. */
import { lstatSync } from 'node:fs';
import { ADMIN_CONFIG_PATH } from '../base/admin-config.ts';
import { osUser } from '../base/os-user.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { statePlace } from '../base/state.ts';
import { NO_PTY } from '../runner/child-words.ts';
import { canTakeByName, canTakeTerminal, diesWithCapwrap } from '../runner/exec-chain.ts';
import { hasPtyBinary, PTY_PACKAGE } from '../runner/pty.ts';
import type { CommandContext } from '../ui/context.ts';
import { lookAtAudit } from './doctor-audit.ts';
import { type Check, check, look } from './doctor-check.ts';

/** `needsIssuer`: a capability of the map uses the embedded issuer. `offline`: asks no host. */
export async function lookAtMachine(
  context: CommandContext,
  needsIssuer: boolean,
  offline: boolean,
): Promise<Check[]> {
  return [
    nodeCheck(),
    launcherCheck(context),
    terminalCheck(),
    deathCheck(),
    userCheck(context.ambient.uid),
    adminCheck(context),
    await look('state', () => stateCheck(context)),
    ...(await lookAtAudit(context, offline)),
    await look('issuer', () => issuerCheck(context, needsIssuer)),
  ];
}

const MIN_NODE = [20, 19] as const;

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  const detail = `${process.version} on ${process.platform}`;
  return isEnough
    ? check('node', 'ok', detail)
    : check('node', 'problem', `${detail} is too old`, `install Node ${MIN_NODE.join('.')} or newer`);
}

/** Variables that load code were dropped before Node started, or capwrap would have refused to; options can't be. */
/** See bin/capwrap.js. */
const LAUNCHER_OPTION = '--inspect-port=192.0.2.1:9229';

function launcherCheck({ ambient }: CommandContext): Check {
  const byName = 'start capwrap by its name';
  if (process.execArgv.some((option) => option !== LAUNCHER_OPTION)) {
    const detail = 'Node was started with options of its own, which can load code';
    return check('launcher', 'warning', detail, byName);
  }
  if (ambient.launch.descriptors === null) {
    const detail = 'not used: no jobserver, no process substitution, no real pipes for the command';
    return check('launcher', 'warning', detail, byName);
  }
  const pipes =
    ambient.launch.pipes.length === 2
      ? 'the command gets real pipes'
      : 'the command gets socket pairs for pipes (`> /dev/stderr` fails): this shell makes none';
  return check('launcher', 'ok', `NODE_OPTIONS and its like do not reach capwrap; ${pipes}`);
}

/** What the command has of a terminal that capwrap masks. */
function terminalCheck(): Check {
  if (!hasPtyBinary()) {
    return check('terminal', 'warning', NO_PTY, `npm install ${PTY_PACKAGE}`);
  }
  const [whole, byName] = [canTakeTerminal(), canTakeByName('/')];
  if (whole && byName) return check('terminal', 'ok', 'the command has a masked terminal of its own');
  const where = whole ? 'where standard input is none, ' : byName ? 'where standard input is one, ' : '';
  const detail = `output to a terminal is masked; ${where}what is written to /dev/tty by name is not`;
  return check('terminal', 'ok', detail);
}

function deathCheck(): Check {
  return diesWithCapwrap()
    ? check('death', 'ok', 'a capwrap that is killed takes the command with it')
    : check(
        'death',
        'warning',
        'a capwrap that is killed leaves the command running until its credential expires',
      );
}

function userCheck(uid: number): Check {
  if (uid !== 0) return check('user', 'ok', osUser(uid));
  const detail = "root: no file is out of reach of the child, and no map counts as the administrator's";
  return check('user', 'warning', detail, 'run capwrap as an ordinary user');
}

function adminCheck({ admin }: CommandContext): Check {
  const demands = [
    ...(admin.stateDir === null ? [] : [`state lives in ${admin.stateDir}`]),
    ...(admin.requireMapTrust === null ? [] : [`maps must be ${admin.requireMapTrust}`]),
  ];
  return check('admin_config', 'ok', demands.join('; ') || `${ADMIN_CONFIG_PATH} demands nothing`);
}

function stateCheck({ ambient, admin }: CommandContext): Check {
  const { dir, override } = statePlace(ambient, admin);
  const moved = override === null ? '' : ` (${override})`;
  const stat = lstatSync(dir, { throwIfNoEntry: false });
  if (!stat) return check('state', 'ok', `${dir} is made at the first run${moved}`);
  if (!stat.isDirectory()) return check('state', 'problem', `${dir} is not a directory of its own${moved}`);
  if (stat.uid !== ambient.uid)
    return check('state', 'problem', `${dir} belongs to user ${stat.uid}${moved}`);
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  return (stat.mode & 0o077) === 0
    ? check('state', 'ok', `${dir}, mode ${mode}${moved}`)
    : check(
        'state',
        'warning',
        `${dir} has mode ${mode}; the next run tightens it${moved}`,
        `chmod 700 ${shellQuote(dir)}`,
      );
}

async function issuerCheck({ ambient, admin }: CommandContext, isNeeded: boolean): Promise<Check> {
  const { issuerFiles, readKey, readName } = await import('../broker/providers/local-issuer/files.ts');
  const files = issuerFiles(statePlace(ambient, admin).dir, ambient.uid);
  const key = readKey(files);
  if (key !== null) return check('issuer', 'ok', `has a key, and issues as ${readName(files) ?? 'nobody'}`);
  return isNeeded
    ? check('issuer', 'problem', 'has no key, and the map uses it', 'capwrap issuer init')
    : check('issuer', 'skipped', 'has no key, and no capability of the map uses it');
}
