/** What the child gets hold of: proofs, scope and variables that the map allows by name. */
import type { ProviderFinding } from '../providers/descriptor.ts';
import { type ProviderConfig, policyOf } from '../providers/index.ts';
import { sensitiveName } from '../sensitive-names.ts';
import { allowsLongLived } from '../sources/index.ts';
import type { CapabilitySubject, Check, Found } from './check.ts';

export const GRANT_CHECKS: readonly Check<CapabilitySubject>[] = [
  {
    code: 'long_lived',
    severity: 'warning',
    why: 'whoever reads that key once can use it for ever, without capwrap',
    *find({ capability: { name, config } }) {
      for (const { at, source } of policyOf(config).proofs(config)) {
        if (!allowsLongLived(source)) continue;
        yield {
          at: `capabilities.${name}.${at}.long_lived`,
          message: `"${name}" accepts a key without an expiry as proof`,
          fix: 'use a source with short-lived credentials (web-identity-file, github-actions, a profile with a session token) and delete long_lived',
        };
      }
      yield* ofProvider('long_lived', name, config);
    },
  },
  {
    code: 'broad',
    severity: 'warning',
    why: 'an approved child can do all of that',
    find: ({ capability: { name, config } }) => ofProvider('broad', name, config),
  },
  {
    code: 'kv',
    severity: 'warning',
    why: 'whoever reads that secret once can use it until somebody changes it',
    find: ({ capability: { name, config } }) => ofProvider('kv', name, config),
  },
  {
    code: 'pass_sensitive',
    severity: 'warning',
    why: 'it is named as sensitive',
    *find({ capability: { name, env } }) {
      for (const variable of env.passSensitive) {
        const does = sensitiveName(variable);
        yield {
          at: `capabilities.${name}.env`,
          message: `"${variable}" is handed through by ${name}`,
          ...(does === null ? {} : { why: `it ${does}` }),
          fix: `delete ${variable} from pass and pass_sensitive once the command can do without`,
        };
      }
    },
  },
  {
    code: 'set_sensitive',
    severity: 'note',
    why: 'it looks like a credential or loads code',
    *find({ capability: { name, env } }) {
      for (const variable of Object.keys(env.set)) {
        const does = sensitiveName(variable);
        if (does === null) continue;
        yield {
          at: `capabilities.${name}.env`,
          message: `"${variable}" is set by ${name}`,
          why: `it ${does}`,
          fix: 'make sure that the value is meant',
        };
      }
    },
  },
  {
    code: 'leak_unseen',
    severity: 'warning',
    why: 'what the command writes to the real terminal is neither masked nor looked at',
    *find({ capability: { name, terminal, onLeak } }) {
      if (terminal !== 'direct' || onLeak !== 'fail') return;
      yield {
        at: `capabilities.${name}.on_leak`,
        message: `"${name}" is to fail at a secret in its output, and may write to the real terminal`,
        fix: 'delete "terminal: direct", unless the command needs it',
      };
    },
  },
];

/** What the provider itself finds under this code. */
function* ofProvider(code: ProviderFinding['code'], name: string, config: ProviderConfig): Generator<Found> {
  for (const { code: its, ...found } of policyOf(config).lint?.(config, name) ?? []) {
    if (its === code) yield found;
  }
}
