/** What the next reader needs. */
import type { CapabilitySubject, Check } from './check.ts';

export const PAPER_CHECKS: readonly Check<CapabilitySubject>[] = [
  {
    code: 'no_description',
    severity: 'note',
    why: '"capwrap list" and approvers have nothing to go by',
    *find({ capability: { name, description } }) {
      if (description !== null) return;
      yield {
        at: `capabilities.${name}`,
        message: `"${name}" has no description`,
        fix: 'add "description: ..."',
      };
    },
  },
  {
    code: 'no_tests',
    severity: 'note',
    why: 'an edit of its rules can widen them unnoticed',
    *find({ capability: { name, tests } }) {
      if (tests.length > 0) return;
      yield {
        at: `capabilities.${name}`,
        message: `"${name}" has no tests`,
        fix: 'add "tests:" with a request that must be allowed and one that must be denied',
      };
    },
  },
];
