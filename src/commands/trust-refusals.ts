/** What `capwrap trust` takes for no answer, before anybody is asked. */
import { ADMIN_CONFIG_PATH, type AdminConfig } from '../base/admin-config.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { meetsDemand } from '../trust/judge.ts';
import { isDigest } from '../trust/pin.ts';
import type { CommandContext } from '../ui/context.ts';
import type { TrustOptions } from './trust.ts';
import type { TrustCase } from './trust-case.ts';
import { show } from './trust-report.ts';
import { signingHint } from './trust-signed.ts';

/** Throws ERR_USAGE for options that contradict each other. */
export function assertOneWay({ sha256, list, statement, signature, key }: TrustOptions): void {
  const given = Object.entries({ sha256, list, statement, signature, key }).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  const [first, second] = given.map(([name]) => `--${name}`);
  if (second === undefined) return;
  throw new CapwrapError('ERR_USAGE', `"${first}" and "${second}" can't be given together`, {
    hint: 'capwrap trust --help',
  });
}

/** Throws where `--sha256` names other content than what was read: ERR_USAGE, ERR_MAP_UNTRUSTED. */
export function assertDigest({ file }: TrustCase, wanted: string): void {
  if (!isDigest(wanted)) {
    throw new CapwrapError('ERR_USAGE', '"--sha256" must be 64 lower-case hex digits', {
      hint: `sha256sum ${shellQuote(file.path)}`,
    });
  }
  if (wanted === file.sha256) return;
  throw new CapwrapError(
    'ERR_MAP_UNTRUSTED',
    `"${file.path}" was not pinned: its digest is ${file.sha256}, not the one given`,
    { hint: `capwrap trust ${shellQuote(file.path)}` },
  );
}

/**
 * Neither a terminal nor a digest is an answer where approvers have a say; both would be the agent's to give. Content
 * that is pinned already is no change, so its grade may be raised.
 */
export async function assertUnsignedCounts(context: CommandContext, found: TrustCase): Promise<void> {
  const { admin } = context;
  const { file, predecessor } = found;
  const refuse = async (why: string, hint: string) => {
    await show(context, found);
    throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" was not pinned: ${why}`, { hint });
  };
  if (found.standing === null && onlySignaturesCount(admin)) {
    const names = admin.approvers.map(({ name }) => name).join(', ');
    await refuse(
      `${ADMIN_CONFIG_PATH} demands a signature of its approvers: ${names}`,
      signingHint(file.path),
    );
  }
  if (found.held !== null || !predecessor?.mustSign) return;
  const { map, fault } = predecessor.version;
  if (map === null) {
    const hint =
      admin.approvers.length > 0
        ? signingHint(file.path)
        : `capwrap untrust --forget ${shellQuote(file.path)}`;
    await refuse(`version ${predecessor.sha256}, whose approvers have to sign, ${fault}`, hint);
  } else {
    const names = [...map.approvers.keys()].join(', ');
    await refuse(`one of the approvers of the version before has to sign: ${names}`, signingHint(file.path));
  }
}

function onlySignaturesCount(admin: AdminConfig): boolean {
  return admin.approvers.length > 0 && !meetsDemand('pinned', admin) && meetsDemand('signed', admin);
}

/** `--sha256` helps only where the administrator accepts its grade. */
export function hintWithoutTerminal(
  { admin }: CommandContext,
  { file }: TrustCase,
  { key }: TrustOptions,
): string {
  const path = shellQuote(file.path);
  if (key !== undefined) return signingHint(file.path);
  return meetsDemand('pinned_noninteractive', admin)
    ? `capwrap trust --sha256 ${file.sha256} ${path}`
    : `capwrap trust ${path}, in a terminal`;
}
