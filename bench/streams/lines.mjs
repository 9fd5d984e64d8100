// A program that flushes after each line: `node lines.mjs COUNT`.
import { writeSync } from 'node:fs';

const line = Buffer.from('2025-03-04T10:11:12.345Z INFO  worker-3 job 4711 done in 12 ms\n');
for (let left = Number(process.argv[2]); left > 0; left--) writeSync(1, line);
