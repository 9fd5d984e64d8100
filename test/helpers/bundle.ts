/** TypeScript made into one program, for what only shows between processes: terminals, races, kills. */
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import type { BundleRequest } from './bundler.ts';
import { tempDir } from './cli.ts';

/** Bundles the module `entry` (relative to the project's root) into the program `outfile`. */
export function bundleTo(outfile: string, entry: string): Promise<void> {
  return ask({ outfile, entry });
}

/** Bundles `source`, whose imports are relative to the project's root, and returns the path of the program. */
export async function bundle(source: string): Promise<string> {
  const outfile = join(tempDir(), 'program.mjs');
  await ask({ outfile, entry: 'program-of-a-test.ts', source });
  return outfile;
}

function ask(asked: BundleRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: inject('bundler'), method: 'POST' }, async (response) => {
      const answer = await text(response);
      if (response.statusCode === 200) resolve();
      else reject(new Error(answer));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(asked));
  });
}
