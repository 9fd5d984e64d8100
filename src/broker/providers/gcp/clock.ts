/** The clock of this machine against Google's. Lives are asked for in seconds, but `expireTime` is a time of day. */
import { CapwrapError } from '../../../errors.ts';

const WARN_SECONDS = 5;
/** From here on an expiry can't be told from one that is longer than the grant, or over. */
const MAX_SECONDS = 60;

/** What the operator should read about the clock. Throws ERR_CLOCK_SKEW; `issuedUntil` is for what was issued by then. */
export function judgeClock(skew: number | null, issuedUntil: Date): readonly string[] {
  if (skew === null)
    return ['Google sent no usable Date header, so the clock of this machine was not checked'];
  if (Math.abs(skew) < WARN_SECONDS) return [];
  const text = `clock of this machine is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} Google's`;
  if (Math.abs(skew) <= MAX_SECONDS) return [`the ${text}`];
  throw new CapwrapError('ERR_CLOCK_SKEW', text, {
    hint: 'set the clock: timedatectl set-ntp true, or chronyc makestep',
    issuedUntil,
  });
}
