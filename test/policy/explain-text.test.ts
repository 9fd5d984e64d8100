import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/policy/evaluate.ts';
import { decisionJson, describeDecision } from '../../src/policy/explain-text.ts';
import { capabilityFrom, type Given, requestFrom } from './map-from.ts';

const capability = capabilityFrom({
  provider: 'local-issuer',
  audience: 'a',
  scope: ['x'],
  ttl: '10m',
  rules: [
    { allow: { repo: 'a/*', branch: ['main', 'feat/*'], sources: { repo: 'verified' } }, approval: 'prompt' },
    { deny: { actor: 'untrusted-*' } },
    { allow: {}, max_ttl: '5m' },
  ],
});

function decide(given: Given) {
  return evaluate(capability, requestFrom(given));
}

describe('describeDecision', () => {
  it('shows an allow with every condition', () => {
    const text = describeDecision(decide({ repo: 'a/b', actor: 'dev', ttl: 900 })).join('\n');
    expect(text).toBe(`allowed  x
rule      capabilities.x.rules[2]
approval  none
ttl       5m (15m shortened to the cap)

capabilities.x.rules[0]  allow, approval prompt: does not match
  no  repo         wants a/* (verified)
                   is    a/b, observed from the test (not known well enough)
  no  branch       wants main or feat/*
                   unknown: not given
  approval needs   grade=terminal self_approval=allow uses=1 for=1h

capabilities.x.rules[1]  deny: does not match
  no  actor        wants untrusted-*
                   is    dev, observed from the test

capabilities.x.rules[2]  allow: matches
  no conditions: every request`);
  });

  it('shows a denial with its reason', () => {
    const lines = describeDecision(decide({ actor: 'untrusted-x' }));
    expect(lines.slice(0, 3)).toEqual([
      'denied    "x" is denied: capabilities.x.rules[1] denies actor untrusted-x',
      'reason    denied_by_rule',
      'rule      capabilities.x.rules[1]',
    ]);
  });

  it('shows the figures of limits, and that they are unknown', () => {
    const limited = capabilityFrom({
      ...{ provider: 'local-issuer', audience: 'a', scope: ['x'] },
      rules: [{ allow: {}, limits: { per_hour: 3, open: 1 } }],
    });
    const used = [{ rule: 'capabilities.x.rules[0]', lastHour: 2, forTask: null, open: 1 }];
    const text = (usage: Given['usage']) =>
      describeDecision(evaluate(limited, requestFrom({ usage: usage ?? null })));
    expect(text(used)).toEqual([
      'denied    "x" is denied: capabilities.x.rules[0] has 1 open lease (open: 1)',
      'reason    limit_reached',
      'rule      capabilities.x.rules[0]',
      '',
      'capabilities.x.rules[0]  allow: matches',
      '  no conditions: every request',
      '  limits used      per_hour 2 of 3, open 1 of 1',
    ]);
    expect(text(null).at(-1)).toBe('  limits used      per_hour unknown of 3, open unknown of 1');
  });

  it('shows no control character of the caller, and colours only where asked', () => {
    const given = { repo: 'a/b', branch: 'x\u202e\u200b', actor: 'dev\u001b[31m' };
    expect(describeDecision(decide(given)).join('\n')).not.toMatch(/[\u001b\u202e\u200b]/);
    expect(describeDecision(decide({ actor: 'dev' }), new Chalk({ level: 1 }))[0]).toBe(
      '\u001b[32mallowed\u001b[39m  x',
    );
  });
});

describe('decisionJson', () => {
  it('has a stable shape for an allow', () => {
    expect(decisionJson(decide({ actor: 'dev' }))).toMatchObject({
      effect: 'allow',
      capability: 'x',
      rule: 'capabilities.x.rules[2]',
      approval: 'none',
      ttl_seconds: 300,
      ttl_requested: 600,
      rules: [{ matched: false }, { matched: false }, { matched: true, conditions: [] }],
    });
  });

  it('has a stable shape for a denial', () => {
    const json = decisionJson(decide({ repo: 'a/b', actor: 'untrusted-x' })) as {
      rules: { conditions: object[] }[];
    };
    expect(Object.keys(json)).toEqual(['effect', 'reason', 'message', 'rule', 'rules']);
    expect(json.rules[0]?.conditions[0]).toEqual({
      condition: 'repo',
      expected: 'a/* (verified)',
      observed: 'a/b',
      source: 'observed',
      from: 'the test',
      matched: false,
      too_weak: true,
    });
  });
});
