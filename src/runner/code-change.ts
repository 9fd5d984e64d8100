/** Looks at the code of a child for as long as it may still be read: by the kernel, by an interpreter. */

/** Milliseconds after the spawn: a swap aims at the moment in which the program is opened. */
const LOOKS = [0, 5, 50, 250, 1000];

export interface ChangeWatch {
  /** Looks a last time, and no more. */
  stop(): void;
  /** The first path that was seen changed; null for none. */
  changed(): string | null;
}

/** Calls `onChange` once, at the first look that finds a change; the last look is at the end of the child. */
export function watchForChange(look: (() => string | null) | undefined, onChange: () => void): ChangeWatch {
  let found: string | null = null;
  const see = () => {
    if (found !== null || look === undefined) return;
    found = look();
    if (found !== null) onChange();
  };
  const timers = look === undefined ? [] : LOOKS.map((ms) => setTimeout(see, ms).unref());
  see();
  return {
    stop() {
      for (const timer of timers) clearTimeout(timer);
      see();
    },
    changed: () => found,
  };
}
