/**
 * The clock of this machine against the issuer's.
 *
 * The deadline in the session policy is local time plus the TTL, and the issuer compares it with its own clock. A local
 * clock that is ahead makes that deny begin too late, which nothing at the issuer corrects; one that is behind makes it
 * begin too early, which costs time and no safety. capwrap ends the child after the TTL in both cases.
 */
import { CapwrapError } from '../../../errors.ts';

/** From here on the operator is told. */
const WARN_SECONDS = 5;
/** How far ahead the local clock may be before the issuer's end of the grant is no longer the one that was granted. */
const MAX_AHEAD_SECONDS = 60;

/** What the operator should read about the clock. Throws ERR_CLOCK_SKEW where the grant can't be met. */
export function judgeClock(skew: number | null, ttl: number, issuedUntil: Date): readonly string[] {
  if (skew === null) return ['STS sent no usable Date header, so the clock of this machine was not checked'];
  if (skew > MAX_AHEAD_SECONDS) {
    throw clockError(
      `${skew} s ahead of STS, so the session policy would end the session ${skew} s too late`,
      issuedUntil,
    );
  }
  if (skew <= -ttl) {
    throw clockError(`${-skew} s behind STS, so the session policy of ${ttl} s is over already`, issuedUntil);
  }
  if (skew >= WARN_SECONDS) {
    return [
      `the clock of this machine is ${skew} s ahead of STS: the issuer ends the session that much after the deadline`,
    ];
  }
  if (-skew >= WARN_SECONDS) {
    return [
      `the clock of this machine is ${-skew} s behind STS: the issuer ends the session that much before the deadline`,
    ];
  }
  return [];
}

function clockError(what: string, issuedUntil: Date): CapwrapError {
  return new CapwrapError('ERR_CLOCK_SKEW', `clock of this machine is ${what}`, {
    hint: SET_CLOCK,
    issuedUntil,
  });
}

export const SET_CLOCK = 'set the clock: timedatectl set-ntp true, or chronyc makestep';
