// A log as real runs leave it, of any length: records of real runs are the templates, and each is changed in what tells
// one run from another, then sealed onto the chain. The same seed gives the same log.
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const ARCHIVE_BYTES = 64 * 1024 ** 2;

/** One in 20,000 leases is of this capability. */
export const RARE = 'rotate-root-key';

const CAPABILITIES = [
  'publish-preview-build',
  'read-ci-artifacts',
  'read-staging-metrics',
  'rotate-cache-key',
  'deploy-docs',
  'run-migrations',
  'sync-assets',
  'read-logs',
];
const ACTORS = ['claude-code', 'codex', 'cursor', 'ada', 'grace', 'ci-bot'];
const APPROVERS = ['ada@example.com', 'grace@example.com'];
const GRADES = ['terminal', 'ssh_key', 'ssh_key_touch', 'ssh_key_verified'];
const REASONS = ['no_rule_matched', 'denied_by_rule', 'justification_missing', 'source_too_weak'];

/**
 * Writes `records` records into `folder`, archives first, oldest half of them compressed; `templates` are the lines of a
 * log with at least one lease of each provider and a denial. They end now and are spread over 30 days.
 */
export async function writeBenchLog({ folder, records, templates, sealRecord, archiveName }) {
  const random = mulberry32(20_260_301);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const step = (30 * 86_400_000) / records;
  const start = Date.now() - 30 * 86_400_000;
  const { leases, denied } = sortTemplates(templates);
  const path = join(folder, 'audit.jsonl');
  const archives = [];
  const seen = { leases: 0, denied: 0, unfinished: 0, lastLease: '' };
  let head = { seq: 0, hash: '0'.repeat(64) };
  let fd = openSync(path, 'wx', 0o600);
  let [bytes, first, pending] = [0, 1, []];
  const open = [];

  const flush = () => {
    writeSync(fd, pending.join(''));
    pending = [];
  };
  const rotate = () => {
    flush();
    closeSync(fd);
    const name = archiveName(first, head.seq);
    renameSync(path, join(folder, name));
    archives.push(name);
    fd = openSync(path, 'wx', 0o600);
    [bytes, first] = [0, head.seq + 1];
  };
  const append = (record) => {
    const sealed = sealRecord(record, head);
    head = sealed.head;
    pending.push(`${sealed.line}\n`);
    bytes += sealed.line.length + 1;
    if (pending.length === 500) flush();
    if (bytes > ARCHIVE_BYTES) rotate();
  };

  while (head.seq < records) {
    const timestamp = new Date(start + head.seq * step).toISOString();
    if (open.length < 1 + Math.floor(random() * 8)) {
      open.push(newRun());
      seen.leases++;
    }
    const at = Math.floor(random() * open.length);
    const run = open[at];
    append({ ...run.records.shift(), timestamp });
    if (run.records.length === 0) open.splice(at, 1);
  }
  flush();
  closeSync(fd);
  for (const name of archives.slice(0, archives.length >> 1)) await compress(join(folder, name));
  return { path, archives: archives.length, ...seen };

  function newRun() {
    const kind = random();
    const template = kind < 0.02 ? [denied] : pick(leases);
    const changes = changesOf();
    const run = template.map((record) => changed(record, changes));
    if (kind < 0.02) {
      run[0].reason = pick(REASONS);
      seen.denied++;
    } else if (kind < 0.022) {
      run.length -= 1;
      seen.unfinished++;
    } else {
      const closed = run.at(-1);
      if (kind < 0.03) closed.masked = { stdout: 1 + Math.floor(random() * 3), stderr: 0 };
      else if (kind < 0.032) closed.outcome = 'revoke_failed';
      else if (kind < 0.08) closed.child = { ...closed.child, exit_code: 1 };
      if (kind > 0.95) run.unshift(...approval(run[0], run));
      seen.lastLease = changes.lease_id;
    }
    return { records: run };
  }

  function changesOf() {
    const number = Math.floor(random() * 40);
    return {
      lease_id: [0, 0].map(() => hex(random)).join(''),
      task_id: `task-${Math.floor(random() * records)}`,
      capability: random() < 1 / 20_000 ? RARE : pick(CAPABILITIES),
      repo: `acme/service-${number}`,
      branch: random() < 0.3 ? 'main' : `feat/${hex(random)}`,
      environment: pick(['preview', 'staging', 'production']),
      actor: pick(ACTORS),
      commit: [0, 0, 0, 0, 0].map(() => hex(random)).join(''),
      justification: random() < 0.5 ? null : `change ${hex(random)} needs it`,
    };
  }

  /** An approval that was asked for and given, and what it adds to the records of its run. */
  function approval(granted, run) {
    const given = {
      approval_grade: pick(GRADES),
      approval_id: hex(random) + hex(random).slice(0, 4),
      approver: pick(APPROVERS),
    };
    for (const record of run) Object.assign(record, given, { approval: 'granted' });
    const { owner, ttl_requested, deadline, approval: _, ...subject } = granted;
    return [
      { ...subject, event: 'approval_requested' },
      { ...subject, event: 'approval_given', approver_key: `SHA256:${hex(random)}`, approval_uses: 1 },
    ];
  }
}

function changed(record, changes) {
  const { capability } = record;
  const copy = { ...record, ...changes, facts: { ...record.facts } };
  if (copy.rule) copy.rule = copy.rule.replace(capability, changes.capability);
  for (const name of ['repo', 'branch', 'commit', 'environment', 'actor']) {
    copy.facts[name] = { ...copy.facts[name], value: changes[name] };
  }
  return copy;
}

/** The records of each whole lease, and a denial, without what the log adds. */
function sortTemplates(lines) {
  const records = lines.map((line) => {
    const { seq, prev, hash, ...record } = JSON.parse(line);
    return record;
  });
  const closed = records.filter(({ event }) => event === 'closed');
  return {
    leases: closed.map(({ lease_id }) => records.filter((record) => record.lease_id === lease_id)),
    denied: records.find(({ event }) => event === 'denied'),
  };
}

async function compress(path) {
  const { readFile, rm } = await import('node:fs/promises');
  await writeFile(`${path}.gz`, await promisify(gzip)(await readFile(path), { level: 1 }), { mode: 0o600 });
  await rm(path);
}

const hex = (random) =>
  Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

/** A small generator of random numbers with a seed (Tommy Ettinger's Mulberry32, public domain). */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
