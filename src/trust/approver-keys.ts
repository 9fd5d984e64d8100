/** The keys of those who may approve a change of a map. */
import { ADMIN_CONFIG_PATH, type AdminConfig } from '../base/admin-config.ts';
import { CapwrapError } from '../errors.ts';
import type { CapabilityMap } from '../policy/capability.ts';
import { parsePublicKey } from '../sshsig/public-key.ts';
import type { PrincipalKey } from '../sshsig/verify.ts';
import { SshFormatError } from '../sshsig/wire.ts';

/** The administrator's approvers: theirs count for every map. Throws ERR_CONFIG_INVALID for a line that is no key. */
export function adminKeys({ approvers }: AdminConfig): PrincipalKey[] {
  return approvers.flatMap(({ name, keys }) =>
    keys.map((line) => {
      try {
        return { principal: name, key: parsePublicKey(line) };
      } catch (error) {
        if (!(error instanceof SshFormatError)) throw error;
        throw new CapwrapError(
          'ERR_CONFIG_INVALID',
          `"${ADMIN_CONFIG_PATH}" has a key of approver ${name} that ${error.reason}`,
          { cause: error },
        );
      }
    }),
  );
}

/** The approvers that a valid map names. */
export function mapKeys({ approvers }: Pick<CapabilityMap, 'approvers'>): PrincipalKey[] {
  return [...approvers.values()].flatMap(({ name, keys }) =>
    keys.map((line) => ({ principal: name, key: parsePublicKey(line) })),
  );
}
