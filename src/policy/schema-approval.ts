/** Who may approve, what an approval must be like, and how much a rule allows. */
import * as v from 'valibot';
import { APPROVAL_GRADES } from '../base/approval-grade.ts';
import { duration, keys, line, listOf, mapping, maybe, must, oneOf, text } from './schema-fields.ts';

const APPROVER_NAME = /^[a-z][a-z0-9._-]{0,62}$/;

const approverName = text(
  APPROVER_NAME,
  'must be an approver: a lower-case letter, then up to 62 of a-z, 0-9, . _ -',
  63,
);

export const approver = mapping(
  keys({
    keys: must(listOf(line(8192)), 'Public keys in the format of OpenSSH: "ssh-ed25519 AAAA..."'),
    actors: maybe(
      listOf(line()),
      'Names under which this person asks (actors, users of the system), so that nobody approves their own request',
    ),
  }),
  'Who may sign approvals',
);

export const approvers = mapping(v.record(approverName, approver), 'Who may sign approvals, by name');

function atMost(limit: number) {
  return v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(1, 'must be 1 or more'),
    v.maxValue(limit, `must not be more than ${limit}`),
  );
}

const [, ...GRADES] = APPROVAL_GRADES;

/** A word, or what the answer must be like. */
export const approval = v.union(
  [
    oneOf('none', 'prompt', 'signed'),
    mapping(
      keys({
        grade: maybe(
          oneOf(...GRADES),
          'The weakest answer that counts. terminal: typed, which an agent can do, too. ssh_key: signed by an approver; _touch: with a hardware key that was touched; _verified: that asked for a PIN or fingerprint. Default ssh_key',
        ),
        approvers: maybe(listOf(approverName), "The approvers that count; default: each of the map's"),
        count: maybe(atMost(10), 'How many different approvers it takes; default 1'),
        self_approval: maybe(oneOf('allow', 'deny'), 'Whether who asks may also approve; default allow'),
        uses: maybe(atMost(1000), 'The most runs that one approval may permit; default 1'),
        for: maybe(duration, 'The longest that an approval may stand; default 1h'),
        command: maybe(
          listOf(line(4096)),
          'A program that hands the request to the approvers and may print their signed answer; its path is relative to the map',
        ),
        cooldown: maybe(duration, 'After a denial, nobody is asked for this capability for so long'),
        max_per_hour: maybe(atMost(1000), 'The most requests for this capability in an hour'),
      }),
      'What the approval must be like',
    ),
  ],
  'must be none, prompt, signed, or a mapping',
);

export const limits = mapping(
  keys({
    per_hour: maybe(atMost(100_000), 'The most runs in an hour'),
    per_task: maybe(atMost(100_000), 'The most runs for one task'),
    open: maybe(atMost(10_000), 'The most leases that are open at the same time'),
  }),
  'The most that a rule allows',
);
