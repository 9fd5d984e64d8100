/** What is asked of capwrap: a capability for one command, by somebody, for a reason. */
import type { Facts } from './facts.ts';

/** The command of a request after look-up; computed before the decision, and again never changed. */
export interface ResolvedCommand {
  /** The words as the caller gave them. */
  readonly argv: readonly string[];
  /** Directory the child starts in. */
  readonly cwd: string;
  /**
   * Absolute path of the program with its directory's symbolic links resolved, or null with the reason when
   * there is none to start.
   */
  readonly path: string | null;
  /** Why the command can't be started; null where it can. */
  readonly fault: CommandFault | null;
  /** SHA-256 of the program file in lower-case hex, or null where no rule asks for it. */
  readonly sha256: string | null;
}

/** The causes that Node reports as one ENOENT or EACCES, told apart. */
export type CommandFaultKind =
  | 'not_found'
  | 'interpreter_missing'
  | 'interpreter_crlf'
  | 'cwd_missing'
  | 'not_executable'
  | 'is_directory';

export interface CommandFault {
  readonly kind: CommandFaultKind;
  readonly message: string;
  readonly hint: string | undefined;
}

/**
 * How often a rule has been used, and how many of its leases are open. Null where that was not counted, because no
 * limit of the rule asks for it.
 */
export interface RuleUsage {
  /** Place of the rule in the map. */
  readonly rule: string;
  readonly lastHour: number | null;
  /** For the task of this request. */
  readonly forTask: number | null;
  readonly open: number | null;
}

/** Everything the decision may depend on besides the capability itself. */
export interface RunRequest {
  readonly capability: string;
  readonly facts: Facts;
  /** Null for `list` and for `explain` without a command. */
  readonly command: ResolvedCommand | null;
  readonly justification: string | null;
  readonly taskId: string;
  /** Seconds asked for with `--ttl`; null means the capability's own. */
  readonly ttlRequested: number | null;
  /** Of each rule that limits its use; null where it can't be told, and then no rule with a limit allows anything. */
  readonly usage: readonly RuleUsage[] | null;
}
