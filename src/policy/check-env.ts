/** What the schema can't say about `env`, `inject` and `home`: clashes, sensitive names, credentials as values. */

import { looksLikeCredential } from './credential-shape.ts';
import type { Report } from './fault.ts';
import { ISOLATION_NAMES } from './isolation-names.ts';
import type { Place } from './map-place.ts';
import { DEFAULT_PASS } from './normalise.ts';
import { TOKEN_VARIABLE } from './providers/descriptor.ts';
import { policyOf } from './providers/index.ts';
import type { RawDefaults, RawEnv, SoundCapability } from './schema.ts';
import { loadsCode, sensitiveName } from './sensitive-names.ts';

/** Checks the `env` of `defaults`, which must hold for every capability. */
export function checkDefaultEnv(defaults: RawDefaults, report: Report): void {
  const place = ['defaults', 'env'];
  checkPass(defaults.env, place, new Set(defaults.env?.pass_sensitive), report);
  checkUnused(defaults.env, place, new Set(defaults.env?.pass), report);
  checkSet(defaults.env, place, report);
}

/** Checks a capability's environment together with the defaults that it gets. */
export function checkEnv(raw: SoundCapability, defaults: RawDefaults, at: Place, report: Report): void {
  const place = [...at, 'env'];
  const allowed = new Set([...(defaults.env?.pass_sensitive ?? []), ...(raw.env?.pass_sensitive ?? [])]);
  checkPass(raw.env, place, allowed, report);
  checkUnused(raw.env, place, new Set([...(defaults.env?.pass ?? []), ...(raw.env?.pass ?? [])]), report);
  checkSet(raw.env, place, report);
  checkDelivered(raw.inject, [...at, 'inject'], report);
  checkDelivered(raw.files, [...at, 'files'], report);
  checkClashes(raw, defaults, at, report);
}

function checkPass(env: RawEnv | undefined, at: Place, allowed: ReadonlySet<string>, report: Report): void {
  env?.pass?.forEach((name, index) => {
    const place = [...at, 'pass', index];
    if (isOurs(name)) {
      report(place, 'name_clash', `"${name}" is set by capwrap itself`, 'delete it from pass');
      return;
    }
    const does = sensitiveName(name);
    if (does !== null && !allowed.has(name)) {
      report(
        place,
        'name_sensitive',
        `"${name}" ${does}`,
        `delete it, or allow it with "pass_sensitive: [${name}]"`,
      );
    }
  });
}

/** A name in `pass_sensitive` alone is not passed: whoever wrote it believes that it is. */
function checkUnused(env: RawEnv | undefined, at: Place, passed: ReadonlySet<string>, report: Report): void {
  env?.pass_sensitive?.forEach((name, index) => {
    if (passed.has(name)) return;
    const message = `"${name}" is in pass_sensitive and not in pass`;
    report(
      [...at, 'pass_sensitive', index],
      'name_unused',
      message,
      `add ${name} to pass, or delete it here`,
    );
  });
}

function checkSet(env: RawEnv | undefined, at: Place, report: Report): void {
  for (const [name, value] of Object.entries(env?.set ?? {})) {
    const place = [...at, 'set', name];
    if (isOurs(name)) {
      report(place, 'name_clash', `"${name}" is set by capwrap itself`, 'delete it from set', 'key');
    }
    const kind = looksLikeCredential(value);
    if (kind !== null) {
      const fix = 'delete it, revoke it, and get a short-lived one through a provider';
      report(place, 'credential_value', `"${name}" is set to what looks like ${kind}`, fix, 'key');
    }
  }
}

function checkDelivered(variables: SoundCapability['inject'], at: Place, report: Report): void {
  for (const name of Object.keys(variables ?? {})) {
    const isTaken = isOurs(name) ? name !== TOKEN_VARIABLE : DEFAULT_PASS.includes(name);
    const does = isTaken ? 'has a meaning of its own for every child' : loadsCode(name);
    const code = isTaken ? 'name_clash' : 'name_sensitive';
    if (does !== null) report([...at, name], code, `"${name}" ${does}`, 'choose another name', 'key');
  }
}

/** The variables that a lease of this capability fills. */
function producedNames(raw: SoundCapability): readonly string[] {
  const { inject, files } = raw;
  const injected = inject ?? (files === undefined ? policyOf(raw).defaultInject(raw) : {});
  return [...Object.keys(injected), ...Object.keys(files ?? {})];
}

/** `env.set` may replace a passed name; every other meeting of two sources of one variable is a fault. */
function checkClashes(raw: SoundCapability, defaults: RawDefaults, at: Place, report: Report): void {
  const produced = producedNames(raw);
  const credentials = policyOf(raw).credentialNames;
  const check = (name: string, place: Place, part: 'key' | 'value') => {
    if (produced.includes(name)) {
      report(
        place,
        'name_clash',
        `"${name}" is filled by the provider`,
        'delete it: the lease fills it',
        part,
      );
    } else if (credentials.includes(name)) {
      report(
        place,
        'name_clash',
        `"${name}" would be a second credential beside the lease`,
        'delete it',
        part,
      );
    }
  };
  for (const [owner, env] of [[at, raw.env] as const, [['defaults'], defaults.env] as const]) {
    env?.pass?.forEach((name, index) => void check(name, [...owner, 'env', 'pass', index], 'value'));
    for (const name of Object.keys(env?.set ?? {})) check(name, [...owner, 'env', 'set', name], 'key');
  }
  for (const name of Object.keys(raw.files ?? {})) {
    if (!Object.hasOwn(raw.inject ?? {}, name)) continue;
    const message = `"${name}" gets a value by inject and a path by files`;
    report([...at, 'files', name], 'name_clash', message, 'keep one of the two', 'key');
  }
  const isPrivate = (raw.home ?? defaults.home) === 'private';
  if (isPrivate && raw.env?.set?.['HOME'] !== undefined) {
    const message = '"HOME" is set, and "home: private" sets it too';
    report([...at, 'env', 'set', 'HOME'], 'name_clash', message, 'keep one of the two', 'key');
  }
}

function isOurs(name: string): boolean {
  // Where state lives is no part of a lease, and a run inside this one has to find it.
  const ofTheLease = name.startsWith('CAPWRAP_') && name !== 'CAPWRAP_HOME';
  return ofTheLease || (ISOLATION_NAMES as readonly string[]).includes(name);
}
