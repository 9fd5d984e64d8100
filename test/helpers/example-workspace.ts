/** A copy of `examples/` and of the project's own map, with the sandbox in AWS's place. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxOptions } from '../../examples/sandbox/state.ts';
import { ROOT } from './cli.ts';
import { type AwsWorkspace, awsWorkspace } from './workspace.ts';

/** `branch` is checked out; the map is the one at `mapPath`, its capabilities pointed at the sandbox, and trusted. */
export async function exampleWorkspace(
  mapPath = 'capabilities.yaml',
  options: SandboxOptions = {},
): Promise<AwsWorkspace> {
  const workspace = await awsWorkspace('', options);
  const { folder, sandbox } = workspace;
  cpSync(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'site'));
  writeFileSync(join(folder, 'site', 'index.html'), '<h1>preview</h1>\n');

  const files = /config_file: \S+ credentials_file: [^}]+/.exec(readFileSync(workspace.mapFile, 'utf8'))?.[0];
  const map = readFileSync(join(ROOT, mapPath), 'utf8')
    .replaceAll(/^(\s+)region: .*/gm, `$&\n$1endpoint: ${sandbox.url}`)
    .replaceAll('profile: agent-base }', `profile: agent-base, ${files} }`)
    .replace('set: { SITE: preview }', `set: { SITE: preview, AWS_ENDPOINT_URL: '${sandbox.url}' }`)
    .replace('home: private\n    tests', `home: private\n    tests`);
  writeFileSync(workspace.mapFile, map);
  await workspace.setMap(map);
  return workspace;
}
