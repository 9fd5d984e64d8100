/** Rules, their conditions, and the inline tests. */
import * as v from 'valibot';
import { FACT_SOURCES } from '../request/facts.ts';
import { DENY_REASONS } from './decision.ts';
import { approval, limits } from './schema-approval.ts';
import {
  boolean,
  duration,
  keys,
  line,
  listOf,
  mapping,
  maybe,
  must,
  oneOf,
  pattern,
} from './schema-fields.ts';

const patterns = v.union([pattern, listOf(pattern)], 'must be a pattern or a list of patterns, as text');

const command = v.union(
  [
    pattern,
    listOf(pattern),
    mapping(
      keys({
        path: must(pattern, 'The program file, absolute or relative to the map'),
        sha256: must(
          v.pipe(v.string('must be text'), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')),
          'SHA-256 of the file: any other content does not match',
        ),
      }),
      'A program file whose content is pinned',
    ),
  ],
  'must be a program, a list of words, or {path, sha256}',
);

const sourceGrade = oneOf(...FACT_SOURCES);

const sources = keys({
  repo: v.exactOptional(sourceGrade),
  branch: v.exactOptional(sourceGrade),
  commit: v.exactOptional(sourceGrade),
  commit_clean: v.exactOptional(sourceGrade),
  environment: v.exactOptional(sourceGrade),
  actor: v.exactOptional(sourceGrade),
  ci: v.exactOptional(sourceGrade),
});

const conditions = keys({
  repo: maybe(patterns, 'Repository as owner/name. Patterns: * does not cross /, ** does'),
  branch: maybe(patterns, 'Checked-out branch'),
  environment: maybe(patterns, "The capability's fixed environment, else what the caller claims"),
  actor: maybe(patterns, 'Who asks: detected agent, CI actor or OS user'),
  command: maybe(
    command,
    'Text names the program (with / a path, relative to the map; without, the first word); a list is a prefix of argv; {path, sha256} pins the content',
  ),
  commit_clean: maybe(boolean, 'Whether the work tree has no uncommitted change'),
  ci: maybe(boolean, 'Whether this runs in a CI system'),
  sources: maybe(
    mapping(sources, 'Facts and the weakest way in which each may be known'),
    'The weakest way in which a fact may be known: verified, observed or claimed',
  ),
});

export const rule = mapping(
  v.pipe(
    keys({
      allow: maybe(
        mapping(conditions, 'Conditions'),
        'Conditions that must all hold for the request to be allowed',
      ),
      deny: maybe(
        mapping(conditions, 'Conditions'),
        'Conditions that, where all hold, refuse the request whatever else matches',
      ),
      approval: maybe(approval, 'Whether a human is asked first, and what the answer must be like'),
      limits: maybe(limits, 'The most that this rule allows; more is denied'),
      max_ttl: maybe(duration, 'Cap on the TTL of requests that this rule allows'),
    }),
    v.metadata({ oneOf: [{ required: ['allow'] }, { required: ['deny'] }] }),
  ),
  'A rule: allow or deny. Any matching deny wins; else the first matching allow gives the terms',
);

const times = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(0, 'must be 0 or more'),
);

const usage = keys({
  per_hour: maybe(times, 'Uses in the last hour'),
  per_task: maybe(times, 'Uses for this task'),
  open: maybe(times, 'Leases that are open'),
});

const words = v.union([line(4096), listOf(line(4096))], 'must be a program or a list of words');

export const policyTest = mapping(
  keys({
    name: maybe(line(), 'What the test shows, for the report'),
    given: must(
      mapping(
        keys({
          repo: v.exactOptional(line()),
          branch: v.exactOptional(line()),
          environment: v.exactOptional(line()),
          actor: v.exactOptional(line()),
          command: v.exactOptional(words),
          commit_clean: v.exactOptional(boolean),
          ci: v.exactOptional(boolean),
          ttl: v.exactOptional(duration),
          justification: v.exactOptional(v.string('must be text')),
          usage: v.exactOptional(mapping(usage, 'How often each rule has been used; 0 where not given')),
          sources: v.exactOptional(mapping(sources, 'How each fact is known')),
        }),
        'The facts of a request; those not given are unknown',
      ),
      'The facts of a request. Unknown where not given, except: actor "test", ci false, a justification, usage 0',
    ),
    expect: must(oneOf('allow', 'deny'), 'The decision that the rules must give'),
    reason: maybe(oneOf(...DENY_REASONS), 'The reason that a denial must have'),
    approval: maybe(oneOf('none', 'prompt', 'signed'), 'The approval that an allow must carry'),
  }),
  'An inline test: run by "capwrap check"',
);
