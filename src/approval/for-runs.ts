/** All of the room that a run needs: one chunk of the bundle, loaded where a rule asks for an approval. */
export { assertUnchanged } from './bound-files.ts';
export { bringApproval } from './bring.ts';
export { approvalError } from './faults.ts';
export { obtainApproval } from './obtain.ts';
export { openApprovals } from './store.ts';
export { watchCode } from './watch-code.ts';
