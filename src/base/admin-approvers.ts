/** The administrator's approvers: those whose signatures count for every map. */
import type { Node } from 'yaml';
import { entries, type Invalid, start, texts } from './admin-nodes.ts';

/** The same shape as an approver of a map. */
export interface AdminApprover {
  readonly name: string;
  /** OpenSSH public keys, a line each; what can't be a key is refused where it is used. */
  readonly keys: readonly string[];
  /** Names under which this person asks. */
  readonly actors: readonly string[];
}

const NAME = /^[a-z][a-z0-9._-]{0,62}$/;
/** Type, base64, and a comment (sshd(8), "AUTHORIZED_KEYS FILE FORMAT", without options). */
const KEY = /^(?:ssh|ecdsa|sk)-[\w.@-]+ +[A-Za-z0-9+/]+={0,2}(?: .*)?$/;

/** `NAME: {keys: [...], actors: [...]}`; a key may belong to one approver only. */
export function readApprovers(node: Node, invalid: Invalid): AdminApprover[] {
  const owners = new Map<string, string>();
  return [...entries(node, 'approvers', NAME, invalid)].map(([name, value]) => {
    const fields = entries(value, name, ['keys', 'actors'], invalid);
    const listed = fields.get('keys');
    if (listed === undefined) throw invalid(start(value), `"keys" is missing in "${name}"`);
    const keys = texts(listed, 'keys', invalid);
    for (const key of keys) {
      if (!KEY.test(key)) throw invalid(start(listed), `"keys" of "${name}" must be OpenSSH public keys`);
      const [, material = ''] = key.split(/ +/);
      const owner = owners.get(material);
      if (owner !== undefined) throw invalid(start(listed), `"keys" of "${name}" has a key of "${owner}"`);
      owners.set(material, name);
    }
    const actors = fields.get('actors');
    return { name, keys, actors: actors === undefined ? [] : texts(actors, 'actors', invalid) };
  });
}
