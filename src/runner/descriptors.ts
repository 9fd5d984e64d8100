/** Which of the caller's descriptors, beside the standard ones, the child gets: those that the command names. */

/**
 * The descriptors that words of the command name as files, as process substitution does (`diff <(a) <(b)`). A shell
 * that puts them below 16 would otherwise find that Node has closed them.
 */
export function namedDescriptors(
  argv: readonly string[],
  descriptors: ReadonlySet<number> | null,
): readonly number[] {
  const named = argv.flatMap((word) => /^\/(?:dev|proc\/self)\/fd\/(\d{1,4})$/.exec(word)?.[1] ?? []);
  return named.map(Number).filter((fd) => fd > 2 && descriptors?.has(fd));
}
