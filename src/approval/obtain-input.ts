/** What it takes to obtain an approval, as one value for all steps. */
import type { AuditLog } from '../audit/record/record.ts';
import type { RunSubject } from '../audit/record/run-subject.ts';
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import type { Grant } from '../policy/decision.ts';
import type { RunRequest } from '../request/run-request.ts';
import type { EventSink } from '../ui/events.ts';
import type { Answer } from './answer.ts';
import type { ApprovalRequest } from './request.ts';
import type { ApprovalStore } from './store.ts';

/** An approval that is to be used: its request, and answers that were brought along instead of stored ones. */
export interface BroughtApproval {
  readonly request: ApprovalRequest;
  readonly answers: readonly Answer[] | null;
}

export interface ObtainInput {
  readonly grant: Grant;
  readonly demand: ApprovalDemand;
  readonly approvers: ReadonlyMap<string, Approver>;
  /** What is asked for, on which map, as it is now: a person takes their time, and things change meanwhile. */
  readonly current: () => Promise<Asked>;
  readonly subject: RunSubject;
  readonly childPath: string | undefined;
  /** The caller's variables, and which of them the map hands through. */
  readonly env: Readonly<Record<string, string>>;
  readonly pass: readonly string[];
  readonly digestKey: Uint8Array;
  readonly uid: number;
  readonly stateDir: string;
  readonly store: ApprovalStore;
  readonly brought: BroughtApproval | null;
  readonly timeoutMs: number;
  readonly noWait: boolean;
  /** True where capwrap's own lines are left out. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  readonly audit: AuditLog;
  readonly events: EventSink;
}

/** A request with all facts that an approval is for, and the map that it is judged by. */
export interface Asked {
  readonly request: RunRequest;
  readonly map: { readonly path: string; readonly sha256: string };
}
