/**
 * capwrap's own lines: one per event, `name key=value ...`, on standard error; JSON objects for tools. Standard
 * output belongs to the child alone.
 */
import { escapeText, escapeValue, toJson } from '../base/escape.ts';
import type { CommandContext } from './context.ts';
import { assertEventsFd } from './events-fd.ts';
import { writeNow } from './write-now.ts';

type EventName =
  | 'policy.check'
  | 'policy.result'
  | 'approval.request'
  | 'approval.result'
  | 'broker.issue'
  | 'runner.exec'
  | 'broker.revoke';

type EventValue = string | number | boolean | readonly string[] | null;
type EventFields = Readonly<Record<string, EventValue>>;

export interface EventSink {
  /** Prints one event. */
  emit(name: EventName, fields: EventFields): void;
  /** Tells the events descriptor alone how the child ended; on standard error the child's status speaks for itself. */
  exited(fields: EventFields): void;
  /** Prints one warning. */
  warn(message: string): void;
}

/** Column where the fields begin, so that the lines of a run stand under one another. */
const NAME_WIDTH = 15;

/**
 * Events to standard error, as `--quiet` and `--json` say, and as JSON objects to `eventsFd` where one is given.
 * Throws ERR_USAGE when that descriptor is not the caller's to write to.
 */
export function openEvents(
  context: CommandContext,
  eventsFd: number | null,
  mask: (text: string) => string,
): EventSink {
  if (eventsFd !== null) assertEventsFd(eventsFd, context.ambient.launch.descriptors);
  let isRead = eventsFd !== null;
  /** One that lost an event gets no more: the next would go on in the middle of a line, and its reader be waited for again. */
  const toFd = (object: object): void => {
    if (eventsFd !== null && isRead) isRead = writeNow(eventsFd, `${mask(toJson(object))}\n`);
  };
  return {
    emit(name, fields) {
      toFd({ event: name, ...fields });
      if (context.quiet) return;
      context.err(mask(context.json ? toJson({ event: name, ...fields }) : line(context, name, fields)));
    },
    exited(fields) {
      toFd({ event: 'runner.exit', ...fields });
    },
    warn(message) {
      toFd({ event: 'warning', message });
      if (context.json) context.err(mask(toJson({ event: 'warning', message })));
      else context.err(mask(`${context.colors.stderr.yellow('capwrap: warning:')} ${escapeText(message)}`));
    },
  };
}

function line(context: CommandContext, name: EventName, fields: EventFields): string {
  const { dim, bold, green, red, yellow } = context.colors.stderr;
  const tint =
    fields['approved'] === false || fields['granted'] === false ? red : fields['approved'] ? green : bold;
  const pairs = Object.entries(fields).map(([key, value]) => {
    const text =
      value === null ? 'unknown' : escapeValue(Array.isArray(value) ? value.join(',') : String(value));
    return `${dim(`${key}=`)}${key === 'status' && text.startsWith('revoke_failed') ? yellow(text) : text}`;
  });
  return `${tint(name.padEnd(NAME_WIDTH))} ${pairs.join(' ')}`;
}
