/** What a provider brings to the failure catalogue. */
import type { IssueRequest, Outcome, Provider } from '../../src/broker/provider.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { TestContext } from '../helpers/aws.ts';
import type { Misbehaviour, PlannedFault } from './faults.ts';
import type { TestIssuer } from './kit.ts';

/** A provider against its test server, fresh for each row of the catalogue. */
export interface RunningFixture {
  readonly provider: Provider;
  readonly context: TestContext;
  /** A request that is allowed, for 15 minutes unless the issuer gives no less than more. */
  issueRequest(): IssueRequest;
  /** Called before an end by handle: puts a proof where the config names one, in case the first is used up. */
  renewProof?(): void;
  fault(fault: PlannedFault): void;
  misbehave(kind: Misbehaviour): void;
  /** How often what was asked for has happened: a fault that nothing meets proves nothing. */
  met(): number;
  /** Requests that wait for an answer that does not come. */
  hanging(): number;
  /** Requests that followed a redirect. */
  strayed(): number;
  /** Every secret value that was handed out or shown so far. */
  secrets(): readonly string[];
  /** Credentials of leases that work now, at the issuer. */
  live(): number;
  /** Moves the issuer's clock and this machine's. */
  passTime(seconds: number): void;
  stop(): Promise<void>;
}

export interface ProviderFixture {
  readonly name: string;
  start(): Promise<RunningFixture>;
  /**
   * Names of the routes (of the kit's server, or what the fixture takes for them) that are walked by the faults of the
   * network: those that a run calls to issue, those that it calls to end, and those that it calls to probe.
   */
  readonly routes: {
    readonly issue: readonly string[];
    readonly end: readonly string[];
    readonly probe: readonly string[];
    /** Those that an end by handle calls. */
    readonly handle?: readonly string[];
  };
  /** How a lease ends on a good day. */
  readonly outcome: Outcome;
  /** How another process ends it on a good day, by the handle of its record; missing where none can. */
  readonly byHandle?: Outcome;
  /** Rows, by the beginning of their names, that this provider can't have, with the reason. */
  readonly without: Readonly<Record<string, string>>;
  /** Codes where they differ from the catalogue's, by the beginning of a row's name. */
  readonly codes?: Readonly<Record<string, readonly ErrorCode[]>>;
}

/** The parts of a running fixture that a server of the kit brings. */
export function onServer(
  server: TestIssuer,
): Pick<RunningFixture, 'fault' | 'misbehave' | 'met' | 'hanging' | 'strayed' | 'secrets' | 'stop'> {
  return {
    fault: (fault) => server.fault(fault),
    misbehave: (kind) => server.misbehave(kind, Number.POSITIVE_INFINITY),
    met: () => server.met,
    hanging: () => server.hanging,
    strayed: () => server.elsewhere.length,
    secrets: () => server.secrets(),
    stop: () => server.stop(),
  };
}

/** A clock that can be moved, for `now` of the context. */
export function movableClock(server?: TestIssuer): { now(): Date; passTime(seconds: number): void } {
  let offset = 0;
  return {
    now: () => new Date(Date.now() + offset * 1000),
    passTime(seconds) {
      offset += seconds;
      if (server !== undefined) server.clockOffset += seconds;
    },
  };
}
