/** `1 record`, `2 records`; `many` where an `s` doesn't make it. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
