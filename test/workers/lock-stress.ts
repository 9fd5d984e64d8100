/** Enters the critical section COUNT times and writes each entry and leave to a journal; now and then dies inside: LOCK JOURNAL COUNT ODDS */
import { appendFileSync } from 'node:fs';
import { withLock } from '../../src/base/lock.ts';

const [lock = '', journal = '', count = '1', odds = '0'] = process.argv.slice(2);
console.log('ready');
for (let n = 0; n < Number(count); n++) {
  await withLock(
    lock,
    async () => {
      appendFileSync(journal, `enter ${process.pid}\n`);
      if (Math.random() < Number(odds)) process.kill(process.pid, 'SIGKILL');
      if (Math.random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 1));
      appendFileSync(journal, `leave ${process.pid}\n`);
    },
    { timeoutMs: 20_000 },
  );
}
