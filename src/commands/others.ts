/** Every command but `run`: one chunk of the bundle, so that the path of a run is not cut into many small files. */
export { approvals } from './approvals.ts';
export { approve } from './approve.ts';
export {
  auditAnchor,
  auditExport,
  auditList,
  auditReconcile,
  auditReport,
  auditRotate,
  auditShip,
  auditShow,
  auditStats,
  auditTail,
  auditVerify,
} from './audit.ts';
export { check } from './check.ts';
export { checkAgainst } from './check-against.ts';
export { completeWords, completion } from './completion.ts';
export { deny } from './deny.ts';
export { doctor } from './doctor.ts';
export { dryRun, explain } from './explain.ts';
export { init } from './init.ts';
export { issuerInit, issuerJwks, issuerServe, issuerVerify } from './issuer.ts';
export { leases } from './leases.ts';
export { leasesEnd } from './leases-end.ts';
export { leasesReap } from './leases-reap.ts';
export { list } from './list.ts';
export { schema } from './schema.ts';
export { trust } from './trust.ts';
export { untrust } from './untrust.ts';
