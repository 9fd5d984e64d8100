/** The small tools behind fault messages. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeCredential } from '../../src/policy/credential-shape.ts';
import { formatPlace, parsePlace, subjectOf } from '../../src/policy/map-place.ts';
import { nearest } from '../../src/policy/suggest.ts';

describe('nearest', () => {
  it.each([
    ['tll', ['ttl', 'env'], 'ttl'],
    ['maxTTL', ['ttl', 'max_ttl'], 'max_ttl'],
    ['max-ttl', ['ttl', 'max_ttl'], 'max_ttl'],
    ['regoin', ['region', 'role_arn'], 'region'],
    ['color', ['rules', 'env'], null],
    ['', ['ttl'], null],
    ['x'.repeat(100_000), ['ttl'], null],
  ])('%s', (word, words, expected) => {
    expect(nearest(word, words)).toBe(expected);
  });
});

describe('places', () => {
  it.each([
    [
      ['capabilities', 'deploy', 'rules', 0, 'allow', 'branch', 1],
      'capabilities.deploy.rules[0].allow.branch[1]',
      'branch[1]',
    ],
    [['capabilities', 'a b', 'x'], 'capabilities["a b"].x', 'x'],
    [[], '(map)', 'map'],
  ])('%j is %s', (place, text, subject) => {
    expect(formatPlace(place)).toBe(text);
    expect(parsePlace(text)).toEqual(place);
    expect(subjectOf(place)).toBe(subject);
  });

  it('come back from their text', () => {
    const part = fc.oneof(fc.nat(99), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), (place) => {
        expect(parsePlace(formatPlace(place))).toEqual(place);
      }),
    );
  });
});

describe('looksLikeCredential', () => {
  it.each([
    'preview',
    'https://example.com/a?b=c',
    'arn:aws:iam::123456789012:role/x',
    'sk-short',
    'postgres://db/x',
    'task-0123456789012345678901',
  ])('has nothing against %s', (value) => expect(looksLikeCredential(value)).toBeNull());
});
