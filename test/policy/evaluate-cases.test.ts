/** Decisions as data: test/cases/policy/*.json. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/policy/evaluate.ts';
import { ROOT } from '../helpers/cli.ts';
import { capabilityFrom, type Given, requestFrom } from './map-from.ts';

interface CaseFile {
  readonly title: string;
  readonly capability: object;
  readonly cases: readonly { name: string; given: Given; expect: Expected }[];
}

interface Expected {
  readonly effect: 'allow' | 'deny';
  /** Index of the rule that decided; null for none. */
  readonly rule?: number | null;
  readonly reason?: string;
  readonly message?: string;
  readonly approval?: string;
  readonly ttl?: number;
  readonly ttlRequested?: number;
}

const FOLDER = join(ROOT, 'test', 'cases', 'policy');

for (const file of readdirSync(FOLDER).sort()) {
  const { title, capability: raw, cases } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as CaseFile;
  describe(`${file}: ${title}`, () => {
    it.each(cases)('$name', ({ given, expect: expected }) => {
      const decision = evaluate(capabilityFrom(raw), requestFrom(given));
      const { rule, ...rest } = expected;
      expect(decision.effect === 'allow' ? { ...decision, ...decision.grant } : decision).toMatchObject(rest);
      if (rule === undefined) return;
      const decided = decision.effect === 'allow' ? decision.grant.rule : decision.rule;
      expect(decided).toBe(rule === null ? null : `capabilities.x.rules[${rule}]`);
    });
  });
}
