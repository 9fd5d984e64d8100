/** The semantic difference of two maps: what may be had now that could not be had before, and what is gone. */
import { formatDuration } from '../../base/duration.ts';
import type { Capability, CapabilityMap } from '../capability.ts';
import { policyOf, scopeWords } from '../providers/index.ts';
import type { MapChange } from './change.ts';
import { compareApprovers } from './compare-approvers.ts';
import { compareCapability } from './compare-capability.ts';

/**
 * The changes from one map to the other, in the order of the newer one. Both count in their validated form, so
 * comments, layout, the order of keys and defaults that are spelled out are no change. Where a request is denied by the
 * older map and allowed by the newer one, or gets a weaker approval or a longer TTL, at least one change is a widening;
 * what can't be shown not to widen is called one. Paths must have been resolved against the same directory.
 */
export function compareMaps(before: CapabilityMap, after: CapabilityMap): MapChange[] {
  const { path: _path, dir: _dir, sha256: _sha256, approvers, capabilities, ...rest } = after;
  rest satisfies Record<string, never>; // a field that is added to the map must be compared here
  const gone = [...before.capabilities.values()].filter(({ name }) => !capabilities.has(name));
  return [
    ...compareApprovers(before.approvers, approvers),
    ...[...capabilities.values()].flatMap((capability) => {
      const older = before.capabilities.get(capability.name);
      return older === undefined ? [added(capability)] : compareCapability(older, capability);
    }),
    ...gone.map(removed),
  ];
}

function added(capability: Capability): MapChange {
  return {
    kind: 'widening',
    at: `capabilities.${capability.name}`,
    code: 'capability_added',
    message: `"${capability.name}" is a new capability`,
    before: null,
    after: summary(capability),
  };
}

function removed(capability: Capability): MapChange {
  return {
    kind: 'narrowing',
    at: 'capabilities',
    code: 'capability_removed',
    message: `"${capability.name}" is gone`,
    before: summary(capability),
    after: null,
  };
}

function summary({ config, maxTtl }: Capability): string {
  const words = scopeWords(config).join(', ');
  return `${config.provider} ${policyOf(config).target(config)}: ${words}, for up to ${formatDuration(maxTtl)}`;
}
