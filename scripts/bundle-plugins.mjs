import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** env-ci asks git where a CI's variables leave a gap; capwrap starts no process but the child, and reads git itself. */
export const noHelperProcesses = {
  name: 'no-helper-processes',
  setup(build) {
    build.onResolve({ filter: /\/lib\/git\.js$/ }, (args) =>
      args.importer.includes('env-ci') ? { path: 'git', namespace: 'no-helper' } : undefined,
    );
    build.onResolve({ filter: /^process-ancestry$/ }, () => ({ path: 'ancestry', namespace: 'no-helper' }));
    build.onLoad({ filter: /.*/, namespace: 'no-helper' }, () => ({
      contents: `export const head = () => undefined; export const branch = () => undefined;
        export const getSlugFromGitURL = () => undefined; export const getProcessAncestry = () => [];`,
    }));
  },
};

/** capwrap always hands the SDK explicit credentials; its default chain must not even be in the bundle. */
export const noDefaultCredentials = {
  name: 'no-default-credentials',
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, () => ({
      path: 'chain',
      namespace: 'no-default-credentials',
    }));
    build.onLoad({ filter: /.*/, namespace: 'no-default-credentials' }, () => ({
      contents: `export const defaultProvider = () => async () => { throw new Error('no default credentials'); };`,
    }));
  },
};

/** Names, versions and licence texts of the packages that ended up in the bundle. */
export async function thirdPartyNotices(root, metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  const notices = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
      const texts = await Promise.all(
        ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license'].map((name) =>
          readFile(join(root, folder, name), 'utf8').catch(() => ''),
        ),
      );
      const text = texts.find((candidate) => candidate !== '') ?? '';
      return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${text.trim()}\n`;
    }),
  );
  return `capwrap's bundle contains the packages below.\n\n${notices.join('\n----------------------------------------\n\n')}`;
}

/** The ES modules of the yaml package, which can be shaken and need no wrapper each; its entry for Node is CommonJS. */
export const yamlAsModules = {
  name: 'yaml-as-modules',
  setup(build) {
    build.onResolve({ filter: /^yaml$/ }, (args) => ({
      path: createRequire(join(args.resolveDir, '/'))
        .resolve('yaml/package.json')
        .replace(/package\.json$/, 'browser/dist/index.js'),
      sideEffects: false,
    }));
  },
};
