// Says what time it is when it writes, in nanoseconds of the machine's monotonic clock: `node clock.mjs REST`. Lives on
// for a while, so that REST has to arrive without the help of the stream's end.
import { writeSync } from 'node:fs';

setTimeout(() => writeSync(1, `${process.hrtime.bigint()} ${process.argv[2]}`), 50);
setTimeout(() => {}, 150);
