// What appending takes: in one process, durable and not, by eight processes at once, and what a run's records cost it on an
// empty log and behind a long one. The floor is the same bytes, written and synced without lock, chain and checks.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from './bundle.mjs';

const PROCESSES = 8;
const uid = process.getuid?.() ?? -1;

/** `templates` are the lines of real runs; `long` is the folder of a long log, to which a few records are added. */
export async function benchAppends({ folder, templates, long }) {
  const { openAuditLog } = await load(['src/audit/log/log.ts']);
  const open = (stateDir) => openAuditLog({ stateDir, uid, rotate: { maxBytes: null, maxAge: null } });
  const records = templates.map(fieldsOf);
  const closed = records.find(({ event }) => event === 'closed');
  const line = `${templates.at(-1)}\n`;
  const fresh = (name) => {
    const stateDir = join(folder, name);
    mkdirSync(stateDir, { mode: 0o700 });
    return stateDir;
  };

  console.log(`${'appending'.padEnd(44)}${'a second'.padStart(10)}`);
  const say = (what, perSecond) => console.log(what.padEnd(44) + perSecond.toFixed(0).padStart(10));
  for (const durable of [false, true]) {
    const kind = durable ? ', durable' : '';
    const count = durable ? 500 : 3000;
    const file = openSync(join(folder, `floor${durable}`), 'a', 0o600);
    say(
      `write(2)${kind && ', fdatasync(2)'}`,
      await rate(count, () => {
        writeSync(file, line);
        if (durable) fdatasyncSync(file);
      }),
    );
    closeSync(file);
    const log = open(fresh(`one${durable}`));
    say(`one process${kind}`, await rate(count, () => log.append(closed, { durable })));
    say(
      `${PROCESSES} processes at once${kind}`,
      await together(fresh(`many${durable}`), closed, durable, count / 5),
    );
  }

  console.log(`${'the records of a run'.padEnd(44)}${'median ms'.padStart(10)}`);
  const places = [['empty log', fresh('run')], ...(long ? [['behind the long log', long]] : [])];
  for (const [where, stateDir] of places) {
    const times = [];
    for (let round = 0; round < 60; round++) {
      const start = performance.now();
      const log = open(stateDir);
      for (const event of ['granted', 'issued', 'closed']) {
        const fields = records.find((record) => record.event === event);
        await log.append(fields, { durable: event !== 'issued' });
      }
      times.push(performance.now() - start);
    }
    console.log(`granted, issued, closed: ${where}`.padEnd(44) + median(times).toFixed(2).padStart(10));
  }
}

/** What a record says, without what the log adds to it. */
function fieldsOf(line) {
  const { timestamp, host, pid, version, seq, prev, hash, cut, repaired_mode, ...fields } = JSON.parse(line);
  return fields;
}

async function rate(count, action) {
  const start = performance.now();
  for (let n = 0; n < count; n++) await action();
  return (count / (performance.now() - start)) * 1000;
}

/** All start at the same moment, once each has loaded the code. */
async function together(stateDir, fields, durable, count) {
  const workers = Array.from({ length: PROCESSES }, () => fork(fileURLToPath(import.meta.url)));
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const start = performance.now();
    const done = Promise.all(workers.map((worker) => once(worker, 'message')));
    for (const worker of workers) worker.send({ stateDir, fields, durable, count });
    for (const [{ failed }] of await done) if (failed) throw new Error(failed);
    return ((PROCESSES * count) / (performance.now() - start)) * 1000;
  } finally {
    for (const worker of workers) if (worker.connected) worker.disconnect();
  }
}

function median(times) {
  return times.sort((a, b) => a - b)[times.length >> 1];
}

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  const { openAuditLog } = await load(['src/audit/log/log.ts']);
  process.once('message', async ({ stateDir, fields, durable, count }) => {
    const log = openAuditLog({ stateDir, uid, rotate: { maxBytes: null, maxAge: null } });
    try {
      for (let n = 0; n < count; n++) await log.append(fields, { durable });
      process.send({});
    } catch (error) {
      process.send({ failed: String(error) });
    }
  });
  process.send({});
}
