/** A narrowed session of the sandbox's role, as a child of capwrap holds one. */
import { PREVIEW_DEPLOYER } from '../../examples/sandbox/accounts.ts';
import type { Statement } from '../../examples/sandbox/policy-document.ts';
import type { Sandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import { sts } from './requests.ts';

/** Assumes the default role with a session policy of these statements; null takes the role as it is. */
export async function lease(sandbox: Sandbox, statements: readonly Statement[] | null): Promise<Credential> {
  const reply = await sts(sandbox, sandbox.credentials.base, {
    Action: 'AssumeRole',
    RoleArn: PREVIEW_DEPLOYER,
    RoleSessionName: 'agent-1',
    DurationSeconds: '900',
    Policy:
      statements === null ? undefined : JSON.stringify({ Version: '2012-10-17', Statement: statements }),
  });
  const session = sandbox.issuedSessions.at(-1);
  if (reply.status !== 200 || session === undefined) throw new Error(`no lease: ${reply.message}`);
  return session;
}

/** What the example map's scope becomes. */
export const EXAMPLE_SCOPE: readonly Statement[] = [
  { Effect: 'Allow', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::acme-previews/*'] },
  {
    Effect: 'Allow',
    Action: ['cloudfront:CreateInvalidation'],
    Resource: ['arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE'],
  },
];
