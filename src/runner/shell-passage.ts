/**
 * The child's environment on its way through a shell. A shell changes variables that it has a use for itself; those go
 * around it, as words of the `env` that follows.
 */

export interface ShellPassage {
  /** What the shell is started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Names that are to be taken away behind it. */
  readonly unset: readonly string[];
  /** `NAME=value` that are to be put in there. */
  readonly set: readonly string[];
}

/**
 * Null where a value would have to be a word that must not be one: other users can read them. `isSecret` tells of a
 * value.
 */
export function shellPassage(
  env: Readonly<Record<string, string>>,
  isSecret: (value: string) => boolean,
): ShellPassage | null {
  const through: Record<string, string> = Object.create(null);
  const around: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!SHELLS_OWN.test(name)) through[name] = value;
    else if (isSecret(value)) return null;
    else around.push(`${name}=${value}`);
  }
  const unset = SHELL_MADE.filter((name) => !Object.hasOwn(env, name));
  return { env: through, unset, set: around };
}

/** What dash, bash, BusyBox and other shells that serve as `/bin/sh` change, lose, or do something for. */
const SHELLS_OWN = new RegExp(
  `^(?:${[
    '_',
    'A__z',
    '(?:OLD)?PWD',
    'SHLVL',
    'IFS',
    'OPT(?:ARG|ERR|IND)',
    'P?PID',
    'PS[0-9]',
    'LINENO',
    'ENV',
    'LANG',
    'LC_.*',
    'POSIXLY_CORRECT',
    'SHELLOPTS',
    'BASH.*',
    'ZSH.*',
    'K?SH_.*',
    'S?RANDOM',
    'SECONDS',
    'EPOCH.*',
    'HIST.*',
    'COMP_.*',
    'PIPESTATUS',
    'COLUMNS',
    'LINES',
    'TMOUT',
    'ARGV0',
    '(?:CPU|HOST|MACH|OS)TYPE',
    'VENDOR',
    'signals',
  ].join('|')})$`,
);

/** What some of them add. */
const SHELL_MADE = ['_', 'A__z', 'OLDPWD', 'PATH', 'PWD', 'SHLVL'];
