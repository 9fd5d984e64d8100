/** Which pattern covers which: those of the map (pattern.ts), and those of IAM. */
import { disjoint, includes, type Token } from './wildcards.ts';

/** True only where every value that the pattern `narrower` matches is matched by `broader`. */
export function covers(broader: string, narrower: string): boolean {
  return coversExactly(broader.normalize('NFC'), narrower.normalize('NFC'));
}

/** As `covers`, without NFC: for file paths, where two spellings can be two files. */
export function coversExactly(broader: string, narrower: string): boolean {
  if (broader === narrower) return true;
  return broader.includes('*') && includes(globTokens(broader), globTokens(narrower));
}

/** True only where no value is matched by both patterns. */
export function areDisjoint(one: string, other: string): boolean {
  return disjoint(globTokens(one.normalize('NFC')), globTokens(other.normalize('NFC')));
}

function globTokens(pattern: string): readonly Token[] {
  return (pattern.match(/\*\*|[\s\S]/g) ?? []).map((part) => {
    if (part === '**') return { many: true, not: null };
    return part === '*' ? { many: true, not: '/' } : part;
  });
}

/** True only where every action that `narrower` names is named by `broader`. IAM compares actions without case. */
export function coversAction(broader: string, narrower: string): boolean {
  return coversIam(broader.toLowerCase(), narrower.toLowerCase());
}

/**
 * True only where every resource that `narrower` names is named by `broader`. A policy variable stands for what nobody
 * knows here, so it is only covered by itself and by `*`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function coversResource(broader: string, narrower: string): boolean {
  const variable = [broader, narrower].some((text) => text.includes('${'));
  return variable ? broader === '*' || broader === narrower : coversIam(broader, narrower);
}

/**
 * The manual lets `*` match beyond a colon at the end of a segment and recommends against relying on it elsewhere, so
 * the one must hold the other whether or not a `*` crosses colons.
 */
function coversIam(broader: string, narrower: string): boolean {
  if (broader === '*' || broader === narrower) return true;
  return [null, ':'].every((not) => includes(iamTokens(broader, not), iamTokens(narrower, not)));
}

function iamTokens(pattern: string, not: string | null): readonly Token[] {
  return [...pattern.replace(/\*+/g, '*')].map((char, index, { length }) => {
    if (char === '*') return { many: true, not: index === length - 1 ? null : not };
    return char === '?' ? { many: false, not } : char;
  });
}
