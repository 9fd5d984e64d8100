import { expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { RecordStore } from '../../src/audit/report/record-store.ts';
import { unpackTable } from '../../src/audit/report/table.ts';
import { tellStory } from '../../src/audit/story/story.ts';
import { storyTeller } from '../../src/report-page/stories.ts';
import { CLOSED, GRANTED } from '../audit/samples.ts';

const NOW = new Date('2026-03-01T12:10:00Z');
const APPROVAL: AuditFields = {
  ...GRANTED,
  event: 'approval_given',
  lease_id: 'asked',
  approval_id: 'a1',
  approver: 'dana',
};
const USES: AuditFields = { ...GRANTED, approval: 'granted', approval_id: 'a1', approver: 'dana' };
const INSIDE: AuditFields = { ...GRANTED, lease_id: 'inside', parent_lease_id: String(GRANTED.lease_id) };

function storiesOf(leases: readonly (readonly AuditFields[])[]) {
  const store = new RecordStore();
  const table = unpackTable(
    store.pack(leases.map((records) => records.map((record) => store.add({ ...record })))),
  );
  return storyTeller(table, NOW.getTime());
}

test('a story has the approval that another run had asked for, as audit show has', () => {
  const story = storiesOf([[APPROVAL], [USES, CLOSED]]);
  expect(story(1)).toEqual(
    tellStory(
      [APPROVAL, USES, CLOSED].map((record) => ({ ...record })),
      NOW,
    ),
  );
  expect(story(0).steps).toHaveLength(1);
});

test('a story names the runs that were started inside', () => {
  const story = storiesOf([[GRANTED, CLOSED], [INSIDE]]);
  expect(story(0).subject.at(-1)).toEqual(['runs inside', 'inside']);
  expect(story(1).subject).toContainEqual(['within lease', GRANTED.lease_id]);
});
