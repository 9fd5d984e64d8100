/** Provider `command`: a program of the team's own that prints a lease. */
import { resolve } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { escapeValue } from '../../base/escape.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { compareTokens } from '../diff/compare-tokens.ts';
import { seconds } from '../schema-fields.ts';
import { pairs, type Row, words } from '../summary-text.ts';
import { checkCommand } from './command/check.ts';
import { commandFields } from './command/fields.ts';
import { compareFields, type FieldComparisons } from './compare-fields.ts';
import type { ProviderPolicy } from './descriptor.ts';

export interface CommandConfig {
  readonly provider: 'command';
  /** Prints the lease. The path of a program that is named by one is absolute, here and below. */
  readonly argv: readonly string[];
  /** Ends the lease; null where nothing does. */
  readonly end: readonly string[] | null;
  /** Says whether the lease works; null where nothing does. */
  readonly probe: readonly string[] | null;
  /** Whom the credential must be for; null where that is the program's choice. */
  readonly principal: string | null;
  /** What the credential may do at most, in the program's words. */
  readonly scope: readonly string[];
  /** Seconds that the program may take to print a lease. */
  readonly timeout: number;
  /** What the three get beside capwrap's own variables. */
  readonly programEnv: {
    readonly pass: readonly string[];
    readonly set: Readonly<Record<string, string>>;
  };
  /** The map's, in which the programs run. */
  readonly folder: string;
}

const DEFAULT_TIMEOUT = 30;

const COMPARISONS: FieldComparisons<CommandConfig> = {
  argv: 'widening',
  end: 'widening',
  probe: 'widening',
  principal: 'widening',
  scope: compareTokens,
  timeout: 'neutral',
  programEnv: 'widening',
  folder: () => [], // of two versions of one map it is the same
};

export const command: ProviderPolicy<typeof commandFields, CommandConfig> = {
  name: 'command',
  fields: commandFields,
  examples: {
    argv: 'argv: [./issuers/ledger.sh, issue]',
    end: 'end: [./issuers/ledger.sh, end]',
    probe: 'probe: [./issuers/ledger.sh, probe]',
    scope: 'scope: [ledger:read]',
  },
  sources: [],
  normalise: (raw, dir) => ({
    provider: raw.provider,
    argv: programOf(raw.argv, dir),
    end: raw.end === undefined ? null : programOf(raw.end, dir),
    probe: raw.probe === undefined ? null : programOf(raw.probe, dir),
    principal: raw.principal ?? null,
    scope: raw.scope,
    timeout: raw.timeout === undefined ? DEFAULT_TIMEOUT : seconds(raw.timeout),
    programEnv: { pass: raw.program_env?.pass ?? [], set: raw.program_env?.set ?? {} },
    folder: dir,
  }),
  check: checkCommand,
  leaseValues: null,
  injectHelp:
    'Child variables and the values of the lease they get; only keys of AWS have standard names (AWS_*) that are the default',
  defaultInject: () => ({}),
  spellsOutInject: false,
  credentialNames: [],
  startsProgram: () => true,
  scopeWords: ({ scope }) => scope,
  target: ({ argv }) => argv.map(shellQuote).join(' '),
  reach: ({ scope, principal }) => (principal === null ? scope : [...scope, `as ${principal}`]),
  summaryRows: (config) => [
    ['program', words(config.argv)],
    ['end', config.end && words(config.end)],
    ['probe', config.probe && words(config.probe)],
    ['principal', config.principal && escapeValue(config.principal)],
    ['scope', words(config.scope)],
    ['timeout', formatDuration(config.timeout)],
    ['program gets', words(config.programEnv.pass)],
    ...pairs(config.programEnv.set).map((text): Row => ['program env', text]),
  ],
  proofs: () => [],
  compare: (before, after, at) => compareFields(COMPARISONS, before, after, at),
};

/** A word without a slash is looked for along the system's path, as the kernel's callers do. */
function programOf([program = '', ...rest]: readonly string[], dir: string): readonly string[] {
  return [program.includes('/') ? resolve(dir, program) : program, ...rest];
}
