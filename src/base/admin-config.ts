/** The administrator's config: the one file outside the map that steers capwrap. */
import { lstatSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { isScalar, type Node } from 'yaml';
import { type AdminApprover, readApprovers } from './admin-approvers.ts';
import { entries, type Invalid, start } from './admin-nodes.ts';
import { type AuditSettings, readAuditSettings } from './audit-settings.ts';
import { openConfig } from './config-document.ts';
import { type FileTerms, readJudgedFile } from './judged-file.ts';
import { MAP_TRUST_GRADES, type MapTrust } from './map-trust.ts';

export interface AdminConfig {
  /** Fixed place of the state directory, or null. */
  readonly stateDir: string | null;
  /** The weakest trust of a map that is accepted, or null for any. */
  readonly requireMapTrust: MapTrust | null;
  /** Whose signatures count for every map, its first version included. */
  readonly approvers: readonly AdminApprover[];
  /** How the log is to be kept; the user's own config has no say in a section that is here. */
  readonly audit: Partial<AuditSettings>;
}

export const ADMIN_CONFIG_PATH = '/etc/capwrap/config.yaml';

export const NO_ADMIN_CONFIG: AdminConfig = {
  stateDir: null,
  requireMapTrust: null,
  approvers: [],
  audit: {},
};

const TERMS: FileTerms = {
  owners: [0],
  ownGroup: null,
  maxBytes: 64 * 1024,
  codes: { missing: 'ERR_CONFIG_UNSAFE', unreadable: 'ERR_CONFIG_UNSAFE', unsafe: 'ERR_CONFIG_UNSAFE' },
};

/**
 * Reads the administrator's config; a missing file demands nothing and costs one system call. Throws
 * ERR_CONFIG_UNSAFE where anybody but root could have written it, and as `parseAdminConfig` does.
 */
export function readAdminConfig(uid: number, path = ADMIN_CONFIG_PATH): AdminConfig {
  if (isMissing(path)) return NO_ADMIN_CONFIG;
  const file = readJudgedFile(path, TERMS);
  return parseAdminConfig(file.bytes.toString('utf8'), file.path, uid);
}

/**
 * Keys: `state_dir` (an absolute path; `{uid}` stands for the running user's number), `require.map_trust` (a grade),
 * `approvers` (by name, as in a map) and `audit`. Throws ERR_CONFIG_INVALID for anything else: a demand that can't be understood must not be dropped.
 */
export function parseAdminConfig(text: string, path: string, uid: number): AdminConfig {
  const document = openConfig(text, path);
  if (document === null) return NO_ADMIN_CONFIG;
  const { contents, invalid } = document;
  const top = entries(contents, 'config', ['state_dir', 'require', 'approvers', 'audit'], invalid);
  const demands = top.get('require');
  const required = demands && entries(demands, 'require', ['map_trust'], invalid).get('map_trust');
  const stateDir = top.get('state_dir');
  const approvers = top.get('approvers');
  const audit = top.get('audit');
  return {
    stateDir: stateDir ? readStateDir(stateDir, uid, invalid) : null,
    requireMapTrust: required ? readGrade(required, invalid) : null,
    approvers: approvers ? readApprovers(approvers, invalid) : [],
    audit: audit ? readAuditSettings(audit, invalid) : {},
  };
}

function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false; // it may be there, so reading it must say what is wrong
  }
}

function readStateDir(node: Node, uid: number, invalid: Invalid): string {
  const text =
    isScalar(node) && typeof node.value === 'string' ? node.value.replaceAll('{uid}', String(uid)) : '';
  if (!isAbsolute(text)) throw invalid(start(node), '"state_dir" must be an absolute path');
  if (/\p{Cc}/u.test(text)) throw invalid(start(node), '"state_dir" may hold no control character');
  if (/[{}]/.test(text)) throw invalid(start(node), '"state_dir" may hold no placeholder but {uid}');
  return normalize(text);
}

function readGrade(node: Node, invalid: Invalid): MapTrust {
  const grade = isScalar(node) ? MAP_TRUST_GRADES.find((known) => known === node.value) : undefined;
  if (!grade) {
    throw invalid(start(node), `"require.map_trust" must be one of ${MAP_TRUST_GRADES.join(', ')}`);
  }
  return grade;
}
