/** Whether the child's terminal is read from, so that keys are to go there. */
import { sharesGroup } from './job-control.ts';
import type { OwnTerminal } from './outputs.ts';
import { watchReaders } from './terminal-readers.ts';

export interface Askers {
  readonly wantKeys: boolean;
  /** To be told whether somebody may have the terminal open, and whether there is output, before that goes on. */
  looked(isOpen: boolean, isPrompted: boolean): void;
  /** To be told of output on the terminal itself. */
  shown(): void;
  /** To be told that a key was typed: what was asked for may be answered by it. */
  typed(): void;
  close(): void;
}

/**
 * Calls `onChange` when somebody in the child's session is seen to read, or nobody is any more. Once the other programs
 * of a pipeline are gone, a child whose output is the terminal counts as well: it may read in ways that can't be seen.
 */
export function watchAskers(
  { channel, keys, indexes }: OwnTerminal,
  session: number,
  onChange: (wantKeys: boolean) => void,
): Askers {
  if (keys === 'at_once') return { wantKeys: true, looked() {}, shown() {}, typed() {}, close() {} };
  const hasReader = watchReaders(session, channel.path);
  let wantKeys = false;
  let last = Number.NEGATIVE_INFINITY;
  let took = 0;
  let hurryUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  /**
   * At most every so many milliseconds, and for `share` of a processor: a machine with many processes has others to serve.
   * By the clock, a look would take long on a busy machine, and a prompt would come before the next one.
   */
  function look(everyMs: number, share: number): void {
    if (performance.now() - last < Math.max(everyMs, took / share)) return;
    const before = process.cpuUsage();
    set(hasReader() || (indexes.includes(1) && !sharesGroup()));
    const { user, system } = process.cpuUsage(before);
    took = (user + system) / 1000;
    last = performance.now();
  }

  function set(now: boolean): void {
    if (now === wantKeys) return;
    wantKeys = now;
    onChange(now);
  }

  function lookLater(): void {
    clearTimeout(timer);
    const wait = performance.now() < hurryUntil ? HURRY_MS : SILENT_MS;
    timer = setTimeout(() => {
      look(wait, SILENT_SHARE);
      lookLater();
    }, wait).unref();
  }

  // A terminal that none of the child's descriptors is on is looked at anyway, to see what comes from it.
  if (indexes.length > 0) lookLater();
  return {
    get wantKeys() {
      return wantKeys;
    },
    looked(isOpen, isPrompted) {
      if (!isOpen) set(false);
      // Output that follows an answer may be what the next program of the pipeline asks for keys upon.
      else if (isPrompted) look(0, wantKeys ? Number.POSITIVE_INFINITY : PROMPT_SHARE);
      else look(SILENT_MS, SILENT_SHARE);
    },
    shown() {
      if (indexes.length > 0) look(0, PROMPT_SHARE);
    },
    typed() {
      if (indexes.length === 0) return; // its end shows by itself
      hurryUntil = performance.now() + ANSWERED_WITHIN_MS;
      lookLater();
    },
    close: () => clearTimeout(timer),
  };
}

/** From one look to the next: where there is no output, and where a key was typed. */
const SILENT_MS = 150;
const HURRY_MS = 5;
/** So long a program takes to read a key and to act on it. */
const ANSWERED_WITHIN_MS = 200;
const PROMPT_SHARE = 0.15;
const SILENT_SHARE = 0.05;
