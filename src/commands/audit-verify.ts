/** `capwrap audit verify`: whether anybody, or a crash, touched the log. */
import { placeOfBad, type Verification, verifyLog } from '../audit/log/verify.ts';
import { escapeText, toJson } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { logPathOf } from './audit-log.ts';
import type { Command } from './command.ts';

/** 0 where the chain is whole, 1 where it isn't or where there is no log: what isn't there can't be vouched for. */
export const auditVerify: Command<object> = async (context) => {
  const path = logPathOf(context);
  const found = await verifyLog(path);
  await context.out(context.json ? `${toJson(toObject(path, found))}\n` : toText(context, path, found));
  return found.ok ? 0 : 1;
};

/** What the chain can't show by itself; said each time, so that nobody takes the answer for more than it is. */
const LIMIT =
  'a chain alone cannot show that records were cut from its end or that the whole log was written anew: keep the head elsewhere and compare';

function toObject(
  path: string,
  { exists, ok, records, recovered, resumed, retired, head, firstBad, torn }: Verification,
): object {
  const counts = { records, recovered, resumed, retired };
  return { path, exists, ok, ...counts, head, first_bad: firstBad, torn, limit: LIMIT };
}

function toText(context: CommandContext, path: string, found: Verification): string {
  const { green, red, yellow, dim } = context.colors.stdout;
  const { ok, exists, records, recovered, resumed, retired, head, firstBad, torn } = found;
  const lines = [dim(escapeText(path))];
  if (!exists) lines.push(red('there is no audit log'));
  if (ok) lines.push(green(`the chain is whole: ${count(records, 'record')}`));
  if (firstBad) {
    lines.push(red(`${escapeText(`${placeOfBad(path, firstBad)} is bad: ${firstBad.why}`)}`));
    lines.push(`the ${count(records, 'record')} before it follow one another; nothing behind it was judged`);
  }
  if (torn) {
    lines.push(
      yellow(
        `line ${torn.line} is torn: ${count(torn.bytes, 'byte')} without an end, as a crash leaves them`,
      ),
    );
    lines.push(
      `the ${count(records, 'record')} before it follow one another; the next record sets the rest aside and says so`,
    );
  }
  if (recovered > 0)
    lines.push(`torn lines that were set aside: ${recovered}; capwrap audit list --event recovered`);
  if (resumed > 0)
    lines.push(
      yellow(
        `the current file was missing ${count(resumed, 'time')}, and what it held is lost; capwrap audit list --event rotated`,
      ),
    );
  if (retired > 0)
    lines.push(
      `${count(retired, 'record')} before the first were removed by retention; capwrap audit list --event retired`,
    );
  if (exists) lines.push(`head: seq=${head.seq} hash=${head.hash}`, dim(LIMIT));
  return `${lines.join('\n')}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
