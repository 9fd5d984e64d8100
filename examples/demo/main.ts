/** `npm run demo`: the main job, step by step. Each step prints what it proves; one that proves nothing stops the demo. */
import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chalk } from 'chalk';
import { type CliResult, createWorkspace, ISSUER, SHELL_SECRETS, type Workspace } from './workspace.ts';

const chalk = new Chalk({ level: process.stdout.isTTY && !process.env['NO_COLOR'] ? 1 : 0 });

interface Step {
  readonly title: string;
  /** Does the step and returns the sentence that it has proved. */
  readonly prove: (workspace: Workspace) => Promise<string>;
}

const publish = ['run', '-c', 'publish-preview-build', '-j', 'demo', '--environment', 'preview', '--'];

const steps: readonly Step[] = [
  {
    title: 'review the map and pin its content',
    async prove(workspace) {
      const digest = createHash('sha256').update(readFileSync(workspace.mapFile)).digest('hex');
      expectStatus(show(await workspace.capwrap('trust', '--sha256', digest, workspace.mapFile)), 0);
      return `the map is trusted with exactly these bytes: sha256 ${digest.slice(0, 12)}...`;
    },
  },
  {
    title: 'publish a preview',
    async prove(workspace) {
      const result = show(await workspace.capwrap(...publish, './scripts/publish-preview.sh'));
      expectStatus(result, 0);
      expect(
        workspace.sandbox.objects().has('acme-previews/preview/index.html'),
        'the page is in the bucket',
      );
      expect(workspace.sandbox.invalidations.length === 1, 'the CDN was asked to invalidate');
      expect(/broker\.revoke .*status=expires/.test(result.stderr), 'the end of the lease is told as it is');
      const first = workspace.sandbox.issuedSessions.at(-1);
      expectStatus(await workspace.capwrap(...publish, './scripts/publish-preview.sh'), 0);
      expect(
        first?.accessKeyId !== workspace.sandbox.issuedSessions.at(-1)?.accessKeyId,
        'each run has its own',
      );
      expectNowhere(
        workspace.folder,
        workspace.sandbox.issuedSessions.flatMap((session) => session.sessionToken ?? []),
      );
      return 'the page is in the bucket; its credential was made for one command, and a second run got another one';
    },
  },
  {
    title: 'ask for the same from another branch',
    async prove(workspace) {
      workspace.checkOut('main');
      const issued = workspace.sandbox.issuedSessions.length;
      const result = show(await workspace.capwrap(...publish, './scripts/publish-preview.sh'));
      workspace.checkOut('feat/demo');
      expectStatus(result, 122);
      expect(result.stderr.includes('no_rule_matched'), 'the reason is told');
      expect(workspace.sandbox.issuedSessions.length === issued, 'nothing was issued');
      return 'denied with its reason, and nothing was issued';
    },
  },
  {
    title: 'let the script write outside its scope',
    async prove(workspace) {
      const result = show(await workspace.capwrap(...publish, './scripts/write-elsewhere.sh'));
      expectStatus(result, 3);
      expect(result.stderr.includes('AccessDenied'), 'the server refused');
      expect(!workspace.sandbox.objects().has('acme-production/index.html'), 'nothing was written');
      return "the role may write to every bucket; this run's credential may not, and the server says so";
    },
  },
  {
    title: 'let the script print its whole environment, once more in base64',
    async prove(workspace) {
      const result = show(await workspace.capwrap(...publish, './scripts/print-environment.sh'));
      expectStatus(result, 0);
      const session = workspace.sandbox.issuedSessions.at(-1);
      const token = session?.sessionToken ?? '';
      const encoded = Buffer.from(token).toString('base64').slice(0, 60);
      for (const secret of [session?.secretAccessKey ?? '', token, encoded]) {
        expect(secret !== '' && !(result.stdout + result.stderr).includes(secret), 'the output is clean');
      }
      expect(result.stdout.includes('[capwrap:'), 'the place of a secret is marked');
      for (const [name, value] of Object.entries(SHELL_SECRETS)) {
        expect(!result.stdout.includes(value), `the shell's ${name} is not there`);
      }
      expect(!result.stdout.includes('GITHUB_TOKEN'), "the shell's variables are not there");
      return "its own credential is masked, plain and encoded; the shell's secrets aren't there at all";
    },
  },
  {
    title: 'fetch an artifact with a token of the embedded issuer',
    async prove(workspace) {
      expectStatus(await workspace.capwrap('issuer', 'init', '--issuer', ISSUER), 0);
      await workspace.startArtifactProxy();
      const result = show(
        await workspace.capwrap('run', '-c', 'read-ci-artifacts', '--', './scripts/fetch-artifacts.sh'),
      );
      expectStatus(result, 0);
      expect(result.stdout.includes('build 42'), 'the artifact was served');
      expect(/status=revoked_verified/.test(result.stderr), 'the end was probed');
      return 'the token was good for one command; afterwards the issuer was seen to refuse it';
    },
  },
  {
    title: 'edit the map',
    async prove(workspace) {
      appendFileSync(workspace.mapFile, '# a harmless looking line\n');
      const result = show(await workspace.capwrap(...publish, './scripts/publish-preview.sh'));
      expectStatus(result, 121);
      expect(result.stderr.includes('capwrap trust'), 'the way out is told');
      return 'one more byte, and the map grants nothing until somebody has looked at it';
    },
  },
  {
    title: 'read the audit trail',
    async prove(workspace) {
      expectStatus(show(await workspace.capwrap('audit', 'list')), 0);
      expectStatus(show(await workspace.capwrap('audit', 'verify')), 0);
      const log = readFileSync(join(workspace.stateDir, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
      const events = log.map((line) => JSON.parse(line).event as string);
      const count = (event: string) => events.filter((found) => found === event).length;
      expect(count('granted') === 5 && count('closed') === 5, 'five grants, five ends');
      expect(count('denied') === 2, 'two denials');
      expectNowhere(
        workspace.folder,
        workspace.sandbox.issuedSessions.flatMap((session) => [session.secretAccessKey]),
      );
      return `${events.length} records, one chain: 5 grants with their ends, 2 denials, and no secret in any of them`;
    },
  },
];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const started = performance.now();
const workspace = await createWorkspace(root);
console.log(
  chalk.yellow(`sandbox at ${workspace.sandbox.url}: this is not AWS; it refuses what AWS refuses`),
);
try {
  for (const [index, step] of steps.entries()) {
    console.log(`\n${chalk.bold(`${index + 1}. ${step.title}`)}`);
    console.log(`${chalk.green('proved:')} ${await step.prove(workspace)}`);
  }
  console.log(
    `\n${steps.length} steps proved in ${((performance.now() - started) / 1000).toFixed(1)} s; nothing is left behind`,
  );
} catch (error) {
  console.error(chalk.red(`\nnot proved: ${error instanceof Error ? error.message : String(error)}`));
  process.exitCode = 1;
} finally {
  await workspace.remove();
}

/** Prints what a run printed, indented. */
function show(result: CliResult): CliResult {
  for (const line of `${result.stderr}\n${result.stdout}`.split('\n')) {
    if (line !== '') console.log(chalk.dim(`   ${line.length > 150 ? `${line.slice(0, 150)}...` : line}`));
  }
  return result;
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected that ${what}`);
}

function expectStatus(result: CliResult, status: number): void {
  if (result.status !== status) {
    throw new Error(`expected status ${status}, got ${result.status}\n${result.stderr}\n${result.stdout}`);
  }
}

/** No file below the folder, the sandbox's own base credentials apart, holds one of the secrets. */
function expectNowhere(folder: string, secrets: readonly string[]): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'latin1');
    for (const secret of secrets) expect(!text.includes(secret), `${entry.name} holds no secret`);
  }
}
