/** How the audit log is kept: the key `audit` of the administrator's config, and of the user's own beside the log. */
import { isAbsolute, normalize } from 'node:path';
import { isScalar, type Node } from 'yaml';
import { entries, type Invalid, start } from './admin-nodes.ts';
import { parseDuration } from './duration.ts';
import { SERVER_URL, WANTS_SERVER_URL } from './server-url.ts';

export interface AuditSettings {
  /** When the current file becomes an archive; null for never. */
  readonly rotate: { readonly maxBytes: number | null; readonly maxAge: number | null };
  /** What becomes of archives: `keep` in seconds after their last record, null for ever. */
  readonly archives: { readonly compress: boolean; readonly keep: number | null };
  /** Where each run leaves the chain's head, beside the log. */
  readonly witness: WitnessSettings;
  /** The collector that `capwrap audit ship` sends records to; null for none. */
  readonly ship: ShipSettings | null;
}

export interface WitnessSettings {
  /** A file that exists, on another disk or append-only; null for none. */
  readonly file: string | null;
  readonly syslog: SyslogTarget | null;
  /** True where nothing may be issued unless each of them has the head of the grant. */
  readonly required: boolean;
}

/** What a process without native code can speak to; `/dev/log` is a kind of socket that Node can't open. */
export type SyslogTarget =
  | { readonly kind: 'journald' }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export interface ShipSettings {
  /** Base URL: `/v1/logs` is added. */
  readonly endpoint: string;
  /** A private file of lines `Name: value`. */
  readonly headersFile: string | null;
  readonly caFile: string | null;
}

export const DEFAULT_AUDIT_SETTINGS: AuditSettings = {
  rotate: { maxBytes: 64 * 1024 * 1024, maxAge: null },
  archives: { compress: false, keep: null },
  witness: { file: null, syslog: null, required: false },
  ship: null,
};

/** The sections that a config holds; each is whole. Whatever isn't understood is a fault with its place. */
export function readAuditSettings(node: Node, invalid: Invalid): Partial<AuditSettings> {
  const sections = entries(node, 'audit', Object.keys(SECTIONS), invalid);
  return Object.fromEntries(
    [...sections].map(([name, section]) => [
      name,
      SECTIONS[name as keyof AuditSettings](section, name, invalid),
    ]),
  );
}

type Read<T> = (node: Node, subject: string, invalid: Invalid) => T;

const SECTIONS: { readonly [Name in keyof AuditSettings]: Read<AuditSettings[Name]> } = {
  rotate(node, subject, invalid) {
    const fields = entries(node, subject, ['max_size', 'max_age'], invalid);
    const { maxBytes } = DEFAULT_AUDIT_SETTINGS.rotate;
    return {
      maxBytes: optional(fields.get('max_size'), maxBytes, orNever(size), 'max_size', invalid),
      maxAge: optional(fields.get('max_age'), null, orNever(age), 'max_age', invalid),
    };
  },
  archives(node, subject, invalid) {
    const fields = entries(node, subject, ['compress', 'keep'], invalid);
    return {
      compress: optional(fields.get('compress'), false, flag, 'compress', invalid),
      keep: optional(fields.get('keep'), null, orNever(keepAge), 'keep', invalid),
    };
  },
  witness(node, subject, invalid) {
    const fields = entries(node, subject, ['file', 'syslog', 'required'], invalid);
    const file = optional(fields.get('file'), null, path, 'file', invalid);
    const syslog = optional(fields.get('syslog'), null, syslogTarget, 'syslog', invalid);
    const required = optional(fields.get('required'), false, flag, 'required', invalid);
    if (file === null && syslog === null) throw invalid(start(node), `"${subject}" names no witness`);
    if (required && syslog?.kind === 'udp')
      throw invalid(start(node), '"required" can\'t be had over udp, where nobody answers');
    return { file, syslog, required };
  },
  ship(node, subject, invalid) {
    const fields = entries(node, subject, ['endpoint', 'headers_file', 'ca_file'], invalid);
    const endpoint = fields.get('endpoint');
    if (!endpoint) throw invalid(start(node), `"endpoint" is missing in "${subject}"`);
    return {
      endpoint: url(endpoint, 'endpoint', invalid),
      headersFile: optional(fields.get('headers_file'), null, path, 'headers_file', invalid),
      caFile: optional(fields.get('ca_file'), null, path, 'ca_file', invalid),
    };
  },
};

function optional<T, Default>(
  node: Node | undefined,
  otherwise: Default,
  read: Read<T>,
  subject: string,
  invalid: Invalid,
): T | Default {
  return node === undefined ? otherwise : read(node, subject, invalid);
}

function orNever<T>(read: Read<T>): Read<T | null> {
  return (node, subject, invalid) =>
    isScalar(node) && node.value === 'never' ? null : read(node, subject, invalid);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A compressed archive is inflated each time it is read, and a file holds some records before it is an archive. */
const SIZES = { least: 64 * 1024, most: 512 * 1024 ** 2 };

const size: Read<number> = (node, subject, invalid) => {
  const match = /^([1-9]\d{0,11})(|KiB|MiB|GiB)$/.exec(textOf(node));
  const bytes = match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1) : 0;
  if (bytes >= SIZES.least && bytes <= SIZES.most) return bytes;
  throw invalid(start(node), `"${subject}" must be a size from 64KiB to 512MiB such as 16MiB, or never`);
};

/** Seconds; days as well, since nobody counts the age of a log in hours. */
const age: Read<number> = (node, subject, invalid) => {
  const text = textOf(node);
  const days = /^([1-9]\d{0,4})d$/.exec(text);
  const seconds = days ? Number(days[1]) * 86_400 : parseDuration(text);
  if (seconds !== null) return seconds;
  throw invalid(start(node), `"${subject}" must be a time such as 30d or 12h, or never`);
};

/** What rules count, what reconcile looks at and what a reader asks for first is of the last day. */
const LEAST_KEPT = 86_400;

const keepAge: Read<number> = (node, subject, invalid) => {
  const seconds = age(node, subject, invalid);
  if (seconds >= LEAST_KEPT) return seconds;
  throw invalid(
    start(node),
    `"${subject}" must be 1d or more, such as 400d, or never: with less, records go that limits, reconcile and readers still need`,
  );
};

const flag: Read<boolean> = (node, subject, invalid) => {
  if (isScalar(node) && typeof node.value === 'boolean') return node.value;
  throw invalid(start(node), `"${subject}" must be true or false`);
};

const path: Read<string> = (node, subject, invalid) => {
  const text = textOf(node);
  if (isAbsolute(text) && !/\p{Cc}/u.test(text)) return normalize(text);
  throw invalid(start(node), `"${subject}" must be an absolute path`);
};

/** `journald`, or a receiver of syslog by its address: a socket of systemd's journal, RFC 5426, or RFC 6587. */
const syslogTarget: Read<SyslogTarget> = (node, subject, invalid) => {
  const text = textOf(node);
  if (text === 'journald') return { kind: text };
  const match = /^(udp|tcp):\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const [, kind, v6, host = v6, port] = match ?? [];
  if (host !== undefined && Number(port) > 0 && Number(port) <= 65_535)
    return { kind: kind as 'udp' | 'tcp', host, port: Number(port) };
  throw invalid(
    start(node),
    `"${subject}" must be journald, udp://HOST:PORT or tcp://HOST:PORT, such as udp://127.0.0.1:514`,
  );
};

const url: Read<string> = (node, subject, invalid) => {
  const text = textOf(node);
  if (SERVER_URL.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '');
  throw invalid(start(node), `"${subject}" ${WANTS_SERVER_URL}`);
};

function textOf(node: Node): string {
  return isScalar(node) && ['string', 'number'].includes(typeof node.value) ? String(node.value) : '';
}
