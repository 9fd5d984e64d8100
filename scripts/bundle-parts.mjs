// What the bundle leaves out, what it keeps together, and whose work is in it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const STUBS = {
  // env-ci asks git where a CI's variables leave a gap; capwrap starts no process but the child, and reads git itself.
  '\0no-git':
    'export const head = () => undefined; export const branch = () => undefined; export const getSlugFromGitURL = () => undefined;',
  // The look at process ancestors starts `ps`.
  '\0no-ps': 'export const getProcessAncestry = () => [];',
  // capwrap always hands the SDK explicit credentials; its default chain must not even be there.
  '\0no-chain':
    "export const defaultProvider = () => async () => { throw new Error('no default credentials'); };",
  // The SDK is handed a request handler of capwrap's own, which follows no redirect and caps the answer.
  '\0no-handler':
    'export const NodeHttpHandler = { create: (handler) => handler }; export const streamCollector = async (bytes) => bytes;',
  // STS streams no events.
  '\0no-events': 'export const eventStreamSerdeProvider = () => {}; export class EventStreamSerde {}',
};

export const leftOut = {
  name: 'left-out',
  resolveId(id, importer = '') {
    if (/\/lib\/git\.js$/.test(id) && importer.includes('env-ci')) return '\0no-git';
    if (id === 'process-ancestry') return '\0no-ps';
    if (id === '@aws-sdk/credential-provider-node') return '\0no-chain';
    if (id === '@smithy/node-http-handler') return '\0no-handler';
    if (id === '@smithy/core/event-streams') return '\0no-events';
  },
  load: (id) => STUBS[id],
};

/** The ES modules of the yaml package, which can be shaken; its entry for Node is CommonJS. */
export const yamlAsModules = {
  name: 'yaml-as-modules',
  resolveId(id, importer) {
    if (id !== 'yaml') return undefined;
    const manifest = createRequire(importer).resolve('yaml/package.json');
    return join(manifest, '..', 'browser', 'dist', 'index.js');
  },
};

/** One chunk for everything that a run with the embedded issuer loads, so that it is read and compiled in one go. */
export function hotPath(root) {
  const hot = new Set();
  const walk = (id, modules) => {
    if (hot.has(id)) return;
    hot.add(id);
    for (const imported of modules.getModuleInfo(id)?.importedIds ?? []) walk(imported, modules);
  };
  return {
    debugName: 'hot path',
    name(id, modules) {
      if (hot.size === 0) {
        for (const entry of ['cli.ts', 'commands/run.ts', 'broker/providers/local-issuer/index.ts']) {
          walk(join(root, 'src', entry), modules);
        }
      }
      return hot.has(id) ? 'run' : null;
    },
  };
}

/** Names, versions and licence texts of the packages that ended up in the bundle, and of those whose data did. */
export async function thirdPartyNotices(output, dataPackages) {
  const folders = new Set(dataPackages);
  for (const id of output.flatMap((chunk) => chunk.moduleIds ?? [])) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
    if (match) folders.add(match[1]);
  }
  const notices = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
      const texts = await Promise.all(
        ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license'].map((name) =>
          readFile(join(folder, name), 'utf8').catch(() => ''),
        ),
      );
      const text = texts.find((candidate) => candidate !== '') ?? '';
      // To be passed on with a work that has one (Apache License 2.0, 4d).
      const notice = await readFile(join(folder, 'NOTICE'), 'utf8').catch(() => '');
      const parts = [
        `${manifest.name} ${manifest.version} (${manifest.license})`,
        notice.trim(),
        text.trim(),
      ];
      return `${parts.filter(Boolean).join('\n\n')}\n`;
    }),
  );
  return `capwrap's bundle contains the packages below.\n\n${[...new Set(notices)].join('\n----------------------------------------\n\n')}`;
}
