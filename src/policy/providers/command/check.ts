/** What the schema can't say about a `command` capability. */
import { looksLikeCredential } from '../../credential-shape.ts';
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import { seconds } from '../../schema-fields.ts';
import { loadsCode } from '../../sensitive-names.ts';
import type { SoundRaw } from '../descriptor.ts';
import type { commandFields } from './fields.ts';

type Sound = SoundRaw<typeof commandFields>;

/** A run that waits longer is a run that hangs. */
const MAX_TIMEOUT = 300;

export function checkCommand(raw: Sound, at: Place, report: Report): void {
  checkNames(raw, at, report);
  if (raw.probe !== undefined && raw.end === undefined) {
    const message = '"end" is missing beside probe, which looks before and after it';
    report([...at, 'probe'], 'missing_key', message, 'add "end: [PROGRAM]", or delete probe', 'key');
  }
  if (raw.timeout !== undefined && seconds(raw.timeout) > MAX_TIMEOUT) {
    report([...at, 'timeout'], 'ttl_too_long', '"timeout" is longer than 5m', 'write "timeout: 30s"');
  }
}

/** A proof may be passed to the programs; what makes them run other code may not. */
function checkNames(raw: Sound, at: Place, report: Report): void {
  const { pass = [], set = {} } = raw.program_env ?? {};
  const place = [...at, 'program_env'];
  pass.forEach((name, index) => {
    const spot = [...place, 'pass', index];
    if (isOurs(name)) report(spot, 'name_clash', `"${name}" is set by capwrap itself`, 'delete it from pass');
    const does =
      name === 'PATH' ? 'makes the programs find others by the words of the caller' : loadsCode(name);
    if (does !== null) report(spot, 'name_sensitive', `"${name}" ${does}`, 'delete it, or fix it under set');
    if (Object.hasOwn(set, name))
      report(spot, 'name_clash', `"${name}" is passed and set`, 'keep one of the two');
  });
  for (const [name, value] of Object.entries(set)) {
    const spot = [...place, 'set', name];
    if (isOurs(name))
      report(spot, 'name_clash', `"${name}" is set by capwrap itself`, 'delete it from set', 'key');
    const shape = looksLikeCredential(value);
    if (shape === null) continue;
    const fix = 'delete it, and let the program read it from where it is kept';
    report(spot, 'credential_value', `"${name}" is set to what looks like ${shape}`, fix, 'key');
  }
}

function isOurs(name: string): boolean {
  return name.startsWith('CAPWRAP_');
}
