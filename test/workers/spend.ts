/** Says so when it is ready, and once the file GO is there takes uses of an approval until one is refused or fails: FOLDER REQUEST_FILE USES LEASE GO */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { spendApproval } from '../../src/approval/admission.ts';
import { openLedger } from '../../src/approval/ledger.ts';
import { parseRequest } from '../../src/approval/request.ts';
import { CapwrapError } from '../../src/errors.ts';

const [folder = '', file = '', uses = '1', lease = '', go = ''] = process.argv.slice(2);
const request = parseRequest(readFileSync(file, 'utf8'));
if (request === null) throw new Error(`${file} is no request`);
const ledger = openLedger(folder, process.getuid?.() ?? -1);
const terms = { uses: Number(uses), not_after: request.answer_by };
const tick = new Int32Array(new SharedArrayBuffer(4));
writeSync(2, 'ready\n');
while (!existsSync(go)) Atomics.wait(tick, 0, 0, 1);
let taken = 0;
try {
  for (;;) {
    const fault = await spendApproval(ledger, request, terms, lease);
    if (fault === null) taken += 1;
    else {
      console.log(JSON.stringify({ taken, reason: fault.reason }));
      break;
    }
  }
} catch (error) {
  if (!(error instanceof CapwrapError)) throw error;
  console.log(JSON.stringify({ taken, code: error.code, message: error.message, hint: error.hint }));
}
