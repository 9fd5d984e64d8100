/** What the schema can't say about rules and inline tests. */
import type { Report } from './fault.ts';
import type { Place } from './map-place.ts';
import type { RawConditions, SoundCapability } from './schema.ts';

export function checkRules(raw: SoundCapability, at: Place, dir: string, report: Report): void {
  raw.rules?.forEach((rule, index) => {
    const place = [...at, 'rules', index];
    if ((rule.allow === undefined) === (rule.deny === undefined)) {
      const fix = rule.allow === undefined ? 'add "allow:" with the conditions' : 'make two rules of it';
      report(place, 'rule_effect', `"rules[${index}]" must have one of allow and deny`, fix);
    }
    for (const key of ['approval', 'limits', 'max_ttl'] as const) {
      if (rule.deny === undefined || rule.allow !== undefined || rule[key] === undefined) continue;
      report([...place, key], 'rule_effect', `"${key}" has no meaning in a deny rule`, 'delete it', 'key');
    }
    for (const effect of ['allow', 'deny'] as const) {
      checkCommand(rule[effect]?.command, [...place, effect, 'command'], dir, report);
    }
  });
  checkTests(raw, at, report);
}

/** The program of a command condition: the text itself, the first word, or the pinned path. */
function checkCommand(command: RawConditions['command'], place: Place, dir: string, report: Report): void {
  if (command === undefined) return;
  const [program, at] =
    typeof command === 'string'
      ? [command, place]
      : 'path' in command
        ? [command.path, [...place, 'path']]
        : [command[0] ?? '', [...place, 0]];
  const pinned = typeof command === 'object' && 'path' in command;
  if (pinned && program.includes('*')) {
    report(at, 'pattern_syntax', '"path" of a pinned program must name one file', 'write the path without *');
  }
  const isRelative = (program.includes('/') || pinned) && !program.startsWith('/');
  if (program.startsWith('~')) {
    const message = `"${program}" starts with "~", which is not expanded`;
    report(at, 'pattern_syntax', message, 'write an absolute path');
  } else if (isRelative && /[*\u0000-\u001f\u007f-\u009f]/.test(dir)) {
    const message = `"${program}" is relative to a folder whose name holds a * or control character`;
    report(at, 'pattern_syntax', message, 'rename the folder, or write an absolute path');
  }
}

function checkTests(raw: SoundCapability, at: Place, report: Report): void {
  raw.tests?.forEach((test, index) => {
    const key = test.expect === 'allow' ? 'reason' : 'approval';
    if (test[key] === undefined) return;
    const message = `"${key}" has no meaning where the test expects "${test.expect}"`;
    report([...at, 'tests', index, key], 'test_conflict', message, 'delete it', 'key');
  });
}
