/** Values of options: text to what it means, or what to write instead. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';

export function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null) throw new InvalidArgumentError('Write 900, 15m or 1h30m.');
  return seconds;
}

export function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 on.');
  return Number(text);
}

export function descriptor(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 2)
    throw new InvalidArgumentError('Not a descriptor of 2 or above.');
  return Number(text);
}

export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('Not a port.');
  return Number(text);
}

/** An option that may be given several times. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
