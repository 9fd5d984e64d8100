/** `capwrap audit`: the commands about the log. */
export { auditAnchor } from './audit-anchor.ts';
export { auditExport } from './audit-export.ts';
export { auditList } from './audit-list.ts';
export { auditReconcile } from './audit-reconcile.ts';
export { auditReport } from './audit-report.ts';
export { auditRotate } from './audit-rotate.ts';
export { auditShip } from './audit-ship.ts';
export { auditShow } from './audit-show.ts';
export { auditStats } from './audit-stats.ts';
export { auditTail } from './audit-tail.ts';
export { auditVerify } from './audit-verify.ts';
