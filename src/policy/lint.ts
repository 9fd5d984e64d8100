/** What is allowed in a map and still worth a second look. A finding never makes a map unusable. */
import type { Capability, CapabilityMap } from './capability.ts';
import type { Finding, FindingCode } from './finding.ts';
import { lintRules } from './lint-rules.ts';
import { parsePlace } from './map-place.ts';
import type { Positions } from './positions.ts';
import { sensitiveName } from './sensitive-names.ts';

/** Findings that stand for standing access or wide scope that the map allows by name: what is still to be removed. */
export const STILL_TO_REMOVE: readonly FindingCode[] = ['long_lived', 'pass_sensitive', 'broad'];

/** The findings of a map, in its order. */
export function lintMap(map: CapabilityMap, positions: Positions | null = null): Finding[] {
  const findings = [...map.capabilities.values()].flatMap((capability) => [
    ...lintGrant(capability),
    ...lintRules(capability),
    ...lintPapers(capability),
  ]);
  if (positions === null) return findings;
  return findings
    .map((finding) => ({ ...finding, ...lineAndColumn(positions.of(parsePlace(finding.at))) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function lineAndColumn({ line, column }: { readonly line: number; readonly column: number }) {
  return { line, column };
}

/** What the child gets hold of. */
function* lintGrant({ name, config, env }: Capability): Generator<Finding> {
  const at = `capabilities.${name}`;
  if (config.provider === 'aws-sts') {
    if ('longLived' in config.source && config.source.longLived) {
      yield {
        code: 'long_lived',
        severity: 'warning',
        at: `${at}.source.long_lived`,
        message: `"${name}" accepts a key without an expiry as proof`,
        why: 'whoever reads that key once can use it for ever, without capwrap',
        fix: 'use a source with short-lived credentials (web-identity-file, github-actions, a profile with a session token) and delete long_lived',
      };
    }
    for (const [index, entry] of config.scope.entries()) {
      if (!entry.broad) continue;
      yield {
        code: 'broad',
        severity: 'warning',
        at: `${at}.scope[${index}]`,
        message: `"${name}" allows ${entry.actions.join(', ')} on ${entry.resources.join(', ')}`,
        why: 'an approved child can do all of that',
        fix: 'name the actions and resources that are needed and delete broad',
      };
    }
  }
  for (const variable of env.passSensitive) {
    yield {
      code: 'pass_sensitive',
      severity: 'warning',
      at: `${at}.env`,
      message: `"${variable}" is handed through by ${name}`,
      why: `it ${sensitiveName(variable) ?? 'is named as sensitive'}`,
      fix: `delete ${variable} from pass and pass_sensitive once the command can do without`,
    };
  }
  for (const variable of Object.keys(env.set)) {
    const does = sensitiveName(variable);
    if (does === null) continue;
    yield {
      code: 'set_sensitive',
      severity: 'note',
      at: `${at}.env`,
      message: `"${variable}" is set by ${name}`,
      why: `it ${does}`,
      fix: `make sure that the value is meant`,
    };
  }
}

/** What the next reader needs. */
function* lintPapers({ name, description, tests }: Capability): Generator<Finding> {
  const at = `capabilities.${name}`;
  if (description === null) {
    yield {
      code: 'no_description',
      severity: 'note',
      at,
      message: `"${name}" has no description`,
      why: '"capwrap list" and approvers have nothing to go by',
      fix: 'add "description: ..."',
    };
  }
  if (tests.length === 0) {
    yield {
      code: 'no_tests',
      severity: 'note',
      at,
      message: `"${name}" has no tests`,
      why: 'an edit of its rules can widen them unnoticed',
      fix: 'add "tests:" with a request that must be allowed and one that must be denied',
    };
  }
}
