/** `-f` of `audit tail`, which every other command understands as `--map`. */

/**
 * The words with `-f` behind `audit tail` written as `--follow`: commander gives an option of the whole program to the program,
 * wherever it stands. Other short options may be joined to it, as in `-fn 20`. `tail` reads no map.
 */
export function spellFollow(words: readonly string[]): string[] {
  const audit = words.findIndex((word) => !word.startsWith('-'));
  const tail = words.findIndex((word, at) => at > audit && !word.startsWith('-'));
  if (words[audit] !== 'audit' || words[tail] !== 'tail') return [...words];
  return words.flatMap((word, at) => {
    const joined = at > tail ? /^-f(.*)$/s.exec(word)?.[1] : undefined;
    return joined === undefined ? [word] : ['--follow', ...(joined === '' ? [] : [`-${joined}`])];
  });
}
