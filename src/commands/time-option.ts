/** Moments on the command line. */
import { parseDuration } from '../base/duration.ts';
import { CapwrapError } from '../errors.ts';

/** A date (in UTC) or a time (RFC 3339), or a duration back from `now`, which may also be in days (`7d`); undefined where none is given. Throws ERR_USAGE for anything else. */
export function parseMoment(option: string, text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const days = /^([1-9]\d{0,4})d$/.exec(text);
  const seconds = days ? Number(days[1]) * 86_400 : parseDuration(text);
  if (seconds !== null) return new Date(now.getTime() - seconds * 1000);
  const time = parseTime(text);
  if (time === 'local') {
    throw new CapwrapError('ERR_USAGE', `"${option} ${text}" does not say in which time zone`, {
      hint: `${option} ${text.replace(' ', 'T')}Z, or with an offset such as +02:00`,
    });
  }
  if (time !== null) return time;
  throw new CapwrapError('ERR_USAGE', `"${option} ${text}" is neither a duration nor a date`, {
    hint: `${option} 2h or ${option} ${now.toISOString().slice(0, 10)}`,
  });
}

const TIME =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?)?$/;

/** `local` where a zone is missing: the log's times are UTC, the reader's clock may not be, and a guess hides rows. */
function parseTime(text: string): Date | 'local' | null {
  const [match, day, zone] = TIME.exec(text) ?? [];
  if (match === undefined || day === undefined) return null;
  const midnight = new Date(day);
  // A day that a month doesn't have is one of the next month to the parser.
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return null;
  if (match === day) return midnight;
  if (zone === undefined) return 'local';
  const time = new Date(text.replace(' ', 'T').toUpperCase());
  return Number.isNaN(time.getTime()) ? null : time;
}
