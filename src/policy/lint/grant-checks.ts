/** What the child gets hold of: proofs, scope and variables that the map allows by name. */
import { sensitiveName } from '../sensitive-names.ts';
import type { CapabilitySubject, Check } from './check.ts';

export const GRANT_CHECKS: readonly Check<CapabilitySubject>[] = [
  {
    code: 'long_lived',
    severity: 'warning',
    why: 'whoever reads that key once can use it for ever, without capwrap',
    *find({ capability: { name, config } }) {
      if (config.provider !== 'aws-sts' || !('longLived' in config.source) || !config.source.longLived)
        return;
      yield {
        at: `capabilities.${name}.source.long_lived`,
        message: `"${name}" accepts a key without an expiry as proof`,
        fix: 'use a source with short-lived credentials (web-identity-file, github-actions, a profile with a session token) and delete long_lived',
      };
    },
  },
  {
    code: 'broad',
    severity: 'warning',
    why: 'an approved child can do all of that',
    *find({ capability: { name, config } }) {
      if (config.provider !== 'aws-sts') return;
      for (const [index, { broad, actions, resources }] of config.scope.entries()) {
        if (!broad) continue;
        yield {
          at: `capabilities.${name}.scope[${index}]`,
          message: `"${name}" allows ${actions.join(', ')} on ${resources.join(', ')}`,
          fix: 'name the actions and resources that are needed and delete broad',
        };
      }
    },
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
];
