/** What is left of a map when the places with faults are set aside, so that no fault waits behind another. */

import type * as v from 'valibot';
import { providerNamed } from './providers/index.ts';
import type { RawApprover, RawDefaults, SoundCapability } from './schema.ts';
import { isMapping } from './schema-fields.ts';

/** Mappings that are still what their types say when one of their keys is missing. */
const LOOSE = new Set<unknown>(['defaults', 'env', 'set', 'inject', 'files']);

export interface SoundParts {
  readonly defaults: RawDefaults;
  /** Null where one of them has a fault: then nothing can be said of who is missing. */
  readonly approvers: Readonly<Record<string, RawApprover>> | null;
  readonly capabilities: Readonly<Record<string, SoundCapability>>;
}

/** The parts of a map that the schema has nothing against. Items that are left out of a list leave a hole there. */
export function soundParts(value: unknown, issues: readonly v.BaseIssue<unknown>[]): SoundParts {
  const faulty = new Set<string>();
  const touched = new Set<string>();
  for (const { path = [] } of issues) {
    const keys = path.map(({ key }) => key);
    faulty.add(JSON.stringify(keys));
    keys.forEach((_, index) => void touched.add(JSON.stringify(keys.slice(0, index))));
  }

  const { defaults, approvers = {}, capabilities } = isMapping(value) ? value : {};

  /** True for a mapping of the provider that is still what its type says when one of its keys is missing. */
  function isFree([, name, key, ...deeper]: readonly unknown[]): boolean {
    const raw = isMapping(capabilities) ? capabilities[name as string] : null;
    const free = isMapping(raw) ? providerNamed(raw['provider'])?.freeMappings : undefined;
    return deeper.length === 0 && (free?.includes(key as string) ?? false);
  }

  /** Undefined for what is to be left out. */
  function sound(part: unknown, place: readonly unknown[]): unknown {
    const at = JSON.stringify(place);
    if (faulty.has(at)) return undefined;
    if (!touched.has(at)) return part;
    const isCapability = place.length === 2 && place[0] === 'capabilities';
    if (isMapping(part) && (isCapability || LOOSE.has(place.at(-1)) || isFree(place))) {
      const entries = Object.entries(part).map(([key, item]) => [key, sound(item, [...place, key])] as const);
      return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
    }
    if (!Array.isArray(part)) return undefined;
    const list: unknown[] = [];
    part.forEach((item, index) => {
      if (sound(item, [...place, index]) !== undefined) list[index] = item;
    });
    return list;
  }

  const known = Object.entries(isMapping(capabilities) ? capabilities : {}).flatMap(([name, raw]) => {
    // What the schema has accepted is what its types say.
    const parts = sound(raw, ['capabilities', name]) as SoundCapability | undefined;
    return isMapping(parts) && providerNamed(parts.provider) !== null ? [[name, parts] as const] : [];
  });
  const place = JSON.stringify(['approvers']);
  const soundApprovers = isMapping(approvers) && !faulty.has(place) && !touched.has(place) ? approvers : null;
  const soundDefaults = sound(defaults, ['defaults']);
  return {
    defaults: (isMapping(soundDefaults) ? soundDefaults : {}) as RawDefaults,
    approvers: soundApprovers as SoundParts['approvers'],
    capabilities: Object.fromEntries(known),
  };
}
