/** Runs the sandbox in the foreground until INT or TERM. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PREVIEW_DEPLOYER } from './accounts.ts';
import { BASE_PROFILE, type ConfigFiles, writeConfigFiles } from './config-files.ts';
import { type Sandbox, startSandbox } from './server.ts';

const USAGE = `usage: sandbox [--port PORT] [--write-config DIR]

  --port PORT          port on 127.0.0.1; a free one where it isn't given
  --write-config DIR   write config and credentials files for the profile ${BASE_PROFILE} into DIR
`;

try {
  const { values } = parseArgs({ options: { port: { type: 'string' }, 'write-config': { type: 'string' } } });
  const port = values.port ?? '0';
  if (!/^\d{1,5}$/.test(port)) throw new Error('--port takes a number');
  const sandbox = await startSandbox({ port: Number(port) });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.stop());
  const directory = values['write-config'];
  const files =
    directory === undefined
      ? null
      : writeConfigFiles(resolve(directory), sandbox.credentials, sandbox.state.region);
  process.stdout.write(banner(sandbox, files));
} catch (error) {
  process.stderr.write(`sandbox: error: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exit(1);
}

/** What a person needs to use it. */
function banner({ state, url }: Sandbox, files: ConfigFiles | null): string {
  return [
    'capwrap sandbox: imitates STS, S3 and CloudFront on this machine. It is not AWS; nothing leaves the loopback.',
    `url           ${url}`,
    `role          ${PREVIEW_DEPLOYER}`,
    `buckets       ${[...state.buckets.keys()].join(', ')}`,
    `distribution  ${[...state.distributions].join(', ')}`,
    `profile       ${BASE_PROFILE}`,
    `config        ${files?.configFile ?? 'not written; --write-config DIR writes it'}`,
    `credentials   ${files?.credentialsFile ?? 'not written; --write-config DIR writes them'}`,
    'stop it with Ctrl-C',
    '',
  ].join('\n');
}
