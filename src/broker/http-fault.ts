/** Words for an exchange that got no answer: what happened, and what to look at. */
import type { ErrorCode } from '../errors.ts';
import type { HttpFault, HttpFaultKind } from './http-exchange.ts';

export interface HttpFaultWords {
  readonly code: ErrorCode;
  /** Goes after the host's name in quotes. */
  readonly text: string;
  readonly hint: string | undefined;
}

/** The words for a fault of a provider's server. `endpointKey` is the line of the map that names the server, if any. */
export function describeHttpFault(fault: HttpFault, endpointKey: string | null): HttpFaultWords {
  const { code, text, hint } = WORDS[fault.kind];
  return { code, text, hint: hint?.replace('{key}', endpointKey ?? 'the address') };
}

const CONNECTION = 'look at {key} and at the network; proxy variables of the caller are not used';

const WORDS: Readonly<Record<HttpFaultKind, HttpFaultWords>> = {
  name_unknown: { code: 'ERR_PROVIDER_UNAVAILABLE', text: "can't be found by name", hint: CONNECTION },
  refused: { code: 'ERR_PROVIDER_UNAVAILABLE', text: 'refuses connections', hint: CONNECTION },
  unreachable: { code: 'ERR_PROVIDER_UNAVAILABLE', text: "can't be reached", hint: CONNECTION },
  tls_untrusted: {
    code: 'ERR_PROVIDER_UNAVAILABLE',
    text: 'shows a certificate of an authority that is not trusted',
    hint: 'where that authority is your own, name it in the map: ca_file: /path/to/ca.pem',
  },
  tls: {
    code: 'ERR_PROVIDER_UNAVAILABLE',
    text: 'does not complete TLS: its certificate is for another name or time, or it does not speak TLS',
    hint: 'look at {key}, its port, and the clock of this machine',
  },
  connect_timeout: {
    code: 'ERR_PROVIDER_TIMEOUT',
    text: 'did not accept a connection in time',
    hint: CONNECTION,
  },
  timeout: { code: 'ERR_PROVIDER_TIMEOUT', text: 'did not answer in time', hint: undefined },
  reset: {
    code: 'ERR_PROVIDER_UNAVAILABLE',
    text: 'closed the connection before its answer was complete',
    hint: undefined,
  },
  not_http: { code: 'ERR_PROVIDER_INVALID_RESPONSE', text: 'does not speak HTTP', hint: 'look at {key}' },
  too_large: {
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    text: 'sent an answer of more than 1 MiB',
    hint: 'look at {key}: this is not the server that was meant',
  },
  aborted: {
    code: 'ERR_PROVIDER_TIMEOUT',
    text: 'had not answered when the run was interrupted',
    hint: undefined,
  },
};
