/** Moments on the command line. */
import { parseDuration } from '../base/duration.ts';
import { CapwrapError } from '../errors.ts';

/** A date or time, or a duration back from `now`, which may also be in days (`7d`); undefined where none is given. Throws ERR_USAGE for anything else. */
export function parseMoment(option: string, text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const days = /^([1-9]\d{0,4})d$/.exec(text);
  const seconds = days ? Number(days[1]) * 86_400 : parseDuration(text);
  if (seconds !== null) return new Date(now.getTime() - seconds * 1000);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new CapwrapError('ERR_USAGE', `"${option} ${text}" is neither a duration nor a date`, {
    hint: `${option} 2h or ${option} ${now.toISOString().slice(0, 10)}`,
  });
}
