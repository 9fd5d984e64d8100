/**
 * Makes programs for the tests, in vitest's own process, which has the bundler loaded anyway: in each worker it took
 * 170 MB, and every start of a process from there a millisecond more.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { build } from 'rolldown';
import type { TestProject } from 'vitest/node';

export interface BundleRequest {
  readonly outfile: string;
  /** A module, by its path from the project's root. */
  readonly entry: string;
  /** The text of the module, where it is no file. */
  readonly source?: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The socket that takes a BundleRequest by POST and answers 200, or another status and why. */
    bundler: string;
  }
}

/** For `globalSetup`; returns what ends it. */
export default async function startBundler(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'capwrap-bundler-'));
  const socket = join(folder, 'socket');
  const server = createServer((request, response) => {
    json(request)
      .then((asked) => bundle(project.config.root, asked as BundleRequest))
      .catch((error: unknown) => {
        response.statusCode = 500;
        return String(error);
      })
      .then((answer) => response.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  project.provide('bundler', socket);
  return () => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  };
}

async function bundle(root: string, { outfile, entry, source }: BundleRequest): Promise<string> {
  const id = join(root, entry);
  const inMemory = {
    name: 'source-in-memory',
    resolveId: (asked: string) => (asked === id ? id : undefined),
    load: (asked: string) => (asked === id ? source : undefined),
  };
  await build({
    cwd: root,
    input: id,
    platform: 'node',
    logLevel: 'warn',
    checks: { ineffectiveDynamicImport: false },
    resolve: { mainFields: ['module', 'main'] },
    transform: { target: 'node20', define: { __CAPWRAP_VERSION__: '"0.0.0-test"' } },
    plugins: source === undefined ? [] : [inMemory],
    output: { file: outfile, format: 'esm', codeSplitting: false },
  });
  return '';
}
