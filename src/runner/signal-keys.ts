/**
 * What became of a key that a terminal may take for a signal. Whether it did depends on settings that Node can't read
 * (termios(3), ISIG). It shows: the kernel echoes such a key as `^C`.
 */

/** The keys, and how the kernel shows them (ECHOCTL). */
const SIGNAL_KEYS: ReadonlyMap<number, { readonly echo: string; readonly signal: NodeJS.Signals }> = new Map([
  [0x03, { echo: '^C', signal: 'SIGINT' }],
  [0x1c, { echo: '^\\', signal: 'SIGQUIT' }],
  [0x1a, { echo: '^Z', signal: 'SIGTSTP' }],
]);

export interface SignalKeys {
  /** To be told of keys before the child's terminal gets them. */
  typed(keys: Uint8Array): void;
  /** To be told of what comes from the child's terminal. Returns the signal that a key has been taken for, or null. */
  shown(output: Uint8Array): NodeJS.Signals | null;
  /** True where the last key was Ctrl-C, and nothing showed what became of it (as at a password prompt). */
  readonly interruptUnheard: boolean;
}

export function watchSignalKeys(): SignalKeys {
  let key: { readonly echo: string; readonly signal: NodeJS.Signals } | null = null;
  let until = 0;
  let interruptUnheard = false;
  /** What may be the first half of an echo. */
  let tail = '';

  return {
    typed(keys) {
      key = SIGNAL_KEYS.get(keys[keys.length - 1] ?? 0) ?? null;
      until = performance.now() + ECHO_WITHIN_MS;
      interruptUnheard = key?.signal === 'SIGINT';
      tail = '';
    },
    shown(output) {
      if (key === null) return null;
      const text = tail + Buffer.from(output).toString('latin1');
      tail = text.slice(-1);
      if (performance.now() > until) key = null;
      if (key === null || !text.includes(key.echo)) return null;
      const { signal } = key;
      key = null;
      interruptUnheard = false;
      return signal;
    },
    get interruptUnheard() {
      return interruptUnheard;
    },
  };
}

/** The kernel's echo comes at once, unless the machine is under load. */
const ECHO_WITHIN_MS = 500;
