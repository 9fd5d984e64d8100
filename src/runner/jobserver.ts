/** The jobserver of GNU make, through which recipes that run in parallel share out their slots. */
import { fstatSync } from 'node:fs';

export interface Jobserver {
  /** All that the child needs of the caller's MAKEFLAGS. */
  readonly makeflags: string;
  /** The descriptors of its pipe; none where it is a named pipe. */
  readonly descriptors: readonly number[];
}

/**
 * What make left in MAKEFLAGS for its recipes (GNU make manual, "POSIX Jobserver Interaction"), or null where there is no
 * jobserver or its pipe was not handed on. Nothing else of the variable is used: it may hold variables and code.
 * `descriptors`: those that the caller left open; null where that is not known.
 */
export function findJobserver(
  makeflags: string | undefined,
  descriptors: ReadonlySet<number> | null,
): Jobserver | null {
  const words = optionWords(makeflags ?? '');
  const found = words.flatMap((word) => /^--jobserver-(?:auth|fds)=(.+)$/.exec(word)?.[1] ?? []).at(-1);
  if (found === undefined) return null;
  const jobs = words.find((word) => /^-?[a-zA-Z]*j\d*$/.test(word));
  const flags = (auth: string) => ` -j${/\d+$/.exec(jobs ?? '')?.[0] ?? ''} --jobserver-auth=${auth}`;

  const named = /^fifo:(\/[^\s$]+)$/.exec(found);
  if (named) return { makeflags: flags(found), descriptors: [] };
  const pair = /^(\d{1,4}),(\d{1,4})$/.exec(found);
  const [read, write] = [Number(pair?.[1]), Number(pair?.[2])];
  if (!pair || !isHandedOn(read, descriptors) || !isHandedOn(write, descriptors)) return null;
  return { makeflags: flags(found), descriptors: [read, write] };
}

/** The options, in which make writes a blank within a word as "\ "; variables and their values stand behind "--". */
function optionWords(makeflags: string): readonly string[] {
  const words: readonly string[] = makeflags.match(/(?:\\.|[^\s\\])+/g) ?? [];
  return words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
}

/** make closes the pipe for recipes that are not marked with "+"; the numbers then belong to Node. */
function isHandedOn(fd: number, descriptors: ReadonlySet<number> | null): boolean {
  if (descriptors === null || !descriptors.has(fd) || fd <= 2) return false;
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}
