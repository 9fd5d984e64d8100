/** Appends `count` records, or for ever where it is 0: STATE_DIR TAG COUNT durable|plain [ROTATE_BYTES] */
import { openAuditLog } from '../../src/audit/log/log.ts';
import { CapwrapError } from '../../src/errors.ts';

const [stateDir = '', tag = '', count = '1', mode = 'plain', bytes] = process.argv.slice(2);
const rotate = { maxBytes: bytes === undefined ? null : Number(bytes), maxAge: null };
const open = () => openAuditLog({ stateDir, uid: process.getuid?.() ?? -1, rotate });
let log = open();
try {
  for (let n = 1; count === '0' || n <= Number(count); n++) {
    await log.append(
      { event: 'issued', lease_id: `${tag}-${n}`, command: ['x'.repeat(n % 7)] },
      { durable: mode === 'durable' },
    );
    if (bytes !== undefined) log = open(); // each is the first append of a run, which alone rotates
  }
} catch (error) {
  if (!(error instanceof CapwrapError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
  process.exitCode = 1;
}
