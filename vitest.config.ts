import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  define: { __CAPWRAP_VERSION__: JSON.stringify('0.0.0-test') },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/helpers/bundler.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: process.env['CI'] ? ['dot'] : ['default'],
    pool: 'forks',
    // Much of the time is spent waiting for processes: two workers more than there are cores keep these busy.
    maxWorkers: availableParallelism() + 2,
    // One process per worker, not per file: no module keeps state, and loading them again took half of the time.
    isolate: false,
    env: {
      // The SDK's notice about old Nodes would bury what a test says.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      // Node reads all of them at each start, which takes longer than the rest of it; no test asks a server elsewhere.
      NODE_EXTRA_CA_CERTS: '',
    },
  },
});
