/**
 * The failure catalogue: what can go wrong with an issuer, and what capwrap must make of it, whoever the issuer is.
 * Each row is walked against each provider, on a fresh server.
 */
import type { Outcome } from '../../src/broker/provider.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Misbehaviour, TransportFault } from './faults.ts';
import type { ProviderFixture } from './fixture.ts';

/** What goes wrong: on one route, or in what the server hands out. */
interface Trouble {
  readonly fault?: {
    readonly kind: TransportFault;
    readonly route: string;
    readonly times: number;
    readonly after?: number;
  };
  readonly misbehaviour?: Misbehaviour;
  /** Seconds that pass between the start of the lease and its end. */
  readonly pass?: number;
}

export type Row = { readonly name: string; readonly trouble: Trouble } & (
  | {
      readonly phase: 'issue';
      /** Codes of the error that may come; `lease` where there may be a lease all the same. */
      readonly expect: readonly (ErrorCode | 'lease')[];
      /** True where the server may have issued what nobody has seen: then the error says until when it lives. */
      readonly unseen?: boolean;
      /** True where the request may have had its effect: it must not be sent a second time. */
      readonly once?: boolean;
      /** True where the next run must succeed. */
      readonly thenFine?: boolean;
    }
  /** `handle`: without the credential, as after a crash. */
  | { readonly phase: 'end' | 'handle'; readonly expect: readonly Outcome[] }
);

/** Every row for one provider: those of the network once for each route. */
export function rowsOf(fixture: ProviderFixture): readonly Row[] {
  const { issue, end, probe } = fixture.routes;
  return [
    ...issue.flatMap(networkAtIssue),
    ...MISBEHAVIOUR_AT_ISSUE,
    ...goodDay(fixture),
    ...end.flatMap(networkAtEnd),
    ...probe.flatMap(networkAtProbe),
    ...MISBEHAVIOUR_AT_END,
    ...byHandle(fixture),
  ];
}

const ALWAYS = Number.POSITIVE_INFINITY;
const UNAVAILABLE = 'ERR_PROVIDER_UNAVAILABLE';
const INVALID = 'ERR_PROVIDER_INVALID_RESPONSE';

function networkAtIssue(route: string): readonly Row[] {
  const row = (
    kind: TransportFault,
    times: number,
    rest: Omit<IssueRow, 'name' | 'phase' | 'trouble'>,
  ): Row => ({
    name: `issue: ${kind} at ${route}`,
    phase: 'issue',
    trouble: { fault: { kind, route, times } },
    ...rest,
  });
  return [
    row('refused', ALWAYS, { expect: ['ERR_PROVIDER_REFUSED'] }),
    row('throttled', ALWAYS, { expect: [UNAVAILABLE] }),
    row('slow', 1, { expect: ['lease'] }),
    row('hang', ALWAYS, { expect: ['ERR_PROVIDER_TIMEOUT'], once: true }),
    row('server_error', 1, { expect: [UNAVAILABLE], once: true, thenFine: true }),
    row('html', ALWAYS, { expect: [INVALID], once: true }),
    row('huge', ALWAYS, { expect: [INVALID], once: true }),
    row('redirect', ALWAYS, { expect: [INVALID], once: true }),
    row('truncated', ALWAYS, { expect: [UNAVAILABLE], unseen: true, once: true }),
    row('reset_after_effect', ALWAYS, { expect: [UNAVAILABLE], unseen: true, once: true }),
  ];
}

type IssueRow = Extract<Row, { phase: 'issue' }>;

const MISBEHAVIOUR_AT_ISSUE: readonly Row[] = (
  [
    ['expired_on_arrival', 'ERR_PROVIDER_EXPIRY'],
    ['longer_than_asked', 'ERR_PROVIDER_EXPIRY'],
    ['wider_than_asked', 'ERR_PROVIDER_SCOPE'],
    ['wrong_principal', 'ERR_PROVIDER_WRONG_PRINCIPAL'],
    ['value_with_newline', INVALID],
  ] as const
).map(([misbehaviour, code]) => ({
  name: `issue: ${misbehaviour}`,
  phase: 'issue',
  trouble: { misbehaviour },
  expect: [code],
}));

function goodDay({ outcome }: ProviderFixture): readonly Row[] {
  return [
    { name: 'end: on a good day', phase: 'end', trouble: {}, expect: [outcome] },
    {
      name: 'end: after its time',
      phase: 'end',
      trouble: { pass: 24 * 3600 },
      // A revocation that is answered after the expiry proves nothing, and is no failure either.
      expect: ['expired', 'revoked_unverified', 'revoke_failed'],
    },
  ];
}

function networkAtEnd(route: string): readonly Row[] {
  const row = (kind: TransportFault, expect: readonly Outcome[]): Row => ({
    name: `end: ${kind} at ${route}`,
    phase: 'end',
    trouble: { fault: { kind, route, times: ALWAYS } },
    expect,
  });
  // An end that had its effect unseen may be found out by the probe.
  const seen: readonly Outcome[] = ['revoke_failed', 'revoked_verified'];
  return [
    row('refused', ['revoke_failed']),
    row('throttled', ['revoke_failed']),
    row('hang', ['revoke_failed']),
    row('server_error', ['revoke_failed']),
    row('html', ['revoke_failed', 'revoked_unverified']),
    row('huge', ['revoke_failed']),
    row('redirect', ['revoke_failed']),
    row('truncated', seen),
    row('reset_after_effect', seen),
  ];
}

function networkAtProbe(route: string): readonly Row[] {
  const faults = ['throttled', 'hang', 'server_error', 'html', 'huge', 'redirect', 'truncated'] as const;
  const always = faults.map(
    (kind): Row => ({
      name: `probe: ${kind} at ${route}`,
      phase: 'end',
      trouble: { fault: { kind, route, times: ALWAYS } },
      expect: ['revoked_unverified'],
    }),
  );
  return [
    ...always,
    // It worked before, and does still; what refuses it now is something else than its end.
    ...(['refused', 'hang', 'server_error', 'reset_after_effect'] as const).map(
      (kind): Row => ({
        name: `probe: ${kind} at ${route} after an end without effect`,
        phase: 'end',
        trouble: { fault: { kind, route, times: ALWAYS, after: 1 }, misbehaviour: 'still_alive' },
        expect: ['revoked_unverified'],
      }),
    ),
  ];
}

const MISBEHAVIOUR_AT_END: readonly Row[] = [
  {
    name: 'end: revoke_fails',
    phase: 'end',
    trouble: { misbehaviour: 'revoke_fails' },
    expect: ['revoke_failed'],
  },
  {
    name: 'end: still_alive',
    phase: 'end',
    trouble: { misbehaviour: 'still_alive' },
    expect: ['revoked_unverified'],
  },
];

function byHandle({ byHandle: outcome, routes }: ProviderFixture): readonly Row[] {
  if (outcome === undefined) return [];
  const row = (name: string, trouble: Trouble, ...expect: Outcome[]): Row => ({
    name: `handle: ${name}`,
    phase: 'handle',
    trouble,
    expect,
  });
  const faults = ['refused', 'hang', 'server_error', 'huge', 'redirect'] as const;
  return [
    row('on a good day', {}, outcome),
    row('revoke_fails', { misbehaviour: 'revoke_fails' }, 'revoke_failed'),
    row('still_alive', { misbehaviour: 'still_alive' }, 'revoked_unverified'),
    ...(routes.handle ?? []).flatMap((route) =>
      faults.map((kind) =>
        row(`${kind} at ${route}`, { fault: { kind, route, times: ALWAYS } }, 'revoke_failed'),
      ),
    ),
  ];
}

/** The reason why a provider can't have a row, or null. */
export function reasonWithout(fixture: ProviderFixture, row: Row): string | null {
  const entry = Object.entries(fixture.without).find(([start]) => row.name.startsWith(start));
  return entry?.[1] ?? null;
}
