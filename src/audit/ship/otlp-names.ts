/** What the events and fields of a record are called in OpenTelemetry. */
import type { AuditEvent } from '../record/record.ts';

/** `eventName` of a log record, by event. */
export const EVENT_NAMES: Readonly<Record<AuditEvent, string>> = {
  denied: 'capwrap.run.denied',
  granted: 'capwrap.lease.granted',
  issued: 'capwrap.lease.issued',
  closed: 'capwrap.lease.closed',
  lease_ended: 'capwrap.lease.ended',
  reconciled: 'capwrap.lease.reconciled',
  approval_requested: 'capwrap.approval.requested',
  approval_given: 'capwrap.approval.given',
  approval_denied: 'capwrap.approval.denied',
  trusted: 'capwrap.map.trusted',
  untrusted: 'capwrap.map.untrusted',
  recovered: 'capwrap.audit.recovered',
  rotated: 'capwrap.audit.rotated',
  retired: 'capwrap.audit.retired',
};

/**
 * Fields for which the semantic conventions have a name that says the same
 * (https://opentelemetry.io/docs/specs/semconv/registry/attributes/). The process is the child that the run started. Every
 * other field is `capwrap.<field>`.
 */
export const ATTRIBUTE_NAMES: Readonly<Record<string, string>> = {
  branch: 'vcs.ref.head.name',
  commit: 'vcs.ref.head.revision',
  command: 'process.command_args',
  command_path: 'process.executable.path',
  cwd: 'process.working_directory',
  'child.exit_code': 'process.exit.code',
  'error.code': 'error.type',
  seq: 'capwrap.audit.seq',
  hash: 'log.record.uid',
};

/** Fields that stand elsewhere: in the resource, as the record's time, or in the body alone. */
export const NO_ATTRIBUTE: ReadonlySet<string> = new Set(['timestamp', 'host', 'version', 'prev']);
