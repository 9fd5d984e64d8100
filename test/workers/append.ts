/** Appends `count` records, or for ever where it is 0: STATE_DIR TAG COUNT durable|plain */
import { openAuditLog } from '../../src/audit/log/log.ts';
import { CapwrapError } from '../../src/errors.ts';

const [stateDir = '', tag = '', count = '1', mode = 'plain'] = process.argv.slice(2);
const log = openAuditLog({ stateDir, uid: process.getuid?.() ?? -1 });
try {
  for (let n = 1; count === '0' || n <= Number(count); n++) {
    await log.append(
      { event: 'issued', lease_id: `${tag}-${n}`, command: ['x'.repeat(n % 7)] },
      { durable: mode === 'durable' },
    );
  }
} catch (error) {
  if (!(error instanceof CapwrapError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
  process.exitCode = 1;
}
