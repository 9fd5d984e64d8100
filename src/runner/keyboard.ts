/**
 * The keyboard of the real terminal, for a child that has a terminal of its own. What is typed goes to the child's,
 * whose line discipline does with it what the child has asked for: echo, lines, Ctrl-C, or nothing.
 */
import type { TerminalTurns } from '../base/tty-turns.ts';
import { watchAskers } from './askers.ts';
import { sharesKeys, stopsAtCtrlZ } from './job-control.ts';
import { relayKeys } from './key-relay.ts';
import type { OwnTerminal } from './outputs.ts';
import { watchSignalKeys } from './signal-keys.ts';
import type { Signals } from './signals.ts';

export interface Keyboard {
  /** The terminal is as it was, for whoever comes next: while capwrap is stopped. */
  giveBack(): void;
  /** capwrap goes on: keys go to the child again, if they did. */
  goOn(): void;
  /** To be told of everything that comes from the child's terminal. */
  seen(output: Uint8Array): void;
  /** To be told whether somebody may have the child's terminal open, and whether there is output, before it goes on. */
  looked(isOpen: boolean, isPrompted: boolean): void;
  /** True where the last key was Ctrl-C, and nothing showed what became of it. */
  readonly interruptUnheard: boolean;
  /** The terminal is as it was, for good. */
  close(): void;
}

/**
 * Connects the keyboard with the child's own terminal: at once, or for as long as somebody in the child's session is
 * seen to read from that terminal.
 *
 * While another capwrap asks a question on the real terminal, or has the keyboard for a child that reads, it is left to that.
 *
 * Of a key that the child's terminal took for a signal, the child knows; the processes of capwrap's own group, which the
 * real terminal would have told as well, do not.
 */
export function connectKeyboard(
  terminal: OwnTerminal,
  pid: number,
  signals: Signals,
  turns: TerminalTurns,
): Keyboard {
  const { channel } = terminal;
  const keys = watchSignalKeys();

  function taken(signal: NodeJS.Signals): void {
    if (!sharesKeys(pid)) return;
    if (signal !== 'SIGTSTP') signals.tellGroup(signal);
    else if (stopsAtCtrlZ(pid)) setTimeout(() => signals.tellGroup(signal), LAST_OUTPUT_MS);
  }

  const relay = relayKeys(
    (bytes) => {
      keys.typed(bytes);
      channel.type(bytes);
      askers.typed();
    },
    channel.hangUp,
    turns,
  );
  const askers = watchAskers(terminal, pid, (wantKeys) => (wantKeys ? relay.take() : relay.handBack()));
  if (askers.wantKeys) relay.take();
  return {
    giveBack: relay.giveBack,
    goOn() {
      if (askers.wantKeys) relay.take();
    },
    seen(output) {
      askers.shown();
      const signal = keys.shown(output);
      if (signal !== null) taken(signal);
    },
    looked: askers.looked,
    get interruptUnheard() {
      return keys.interruptUnheard && sharesKeys(pid);
    },
    close() {
      askers.close();
      relay.giveBack();
      relay.close();
    },
  };
}

/** Before capwrap stops, what it has read (the echo itself) is to be on the screen. */
const LAST_OUTPUT_MS = 15;
