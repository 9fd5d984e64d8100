// `node slow-reader.mjs trickle SECONDS` reads 64 KiB every 10 ms for so long and leaves; `... stall SECONDS` reads
// nothing for so long, and then everything at once.
import { readSync } from 'node:fs';

const [manner, seconds] = process.argv.slice(2);
const memory = Buffer.alloc(64 * 1024);
const end = performance.now() + Number(seconds) * 1000;
if (manner === 'trickle') {
  while (performance.now() < end && readSync(0, memory) > 0) sleep(10);
} else {
  sleep(Number(seconds) * 1000);
  while (readSync(0, memory) > 0);
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
