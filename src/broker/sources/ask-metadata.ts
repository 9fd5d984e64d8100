/** One question to a service of the platform beside this machine: quick, without a proxy, and asked once. */
import { VERSION } from '../../base/version.ts';
import { exchangeHttp, HttpFault, type HttpFaultKind } from '../http-exchange.ts';
import type { BrokerContext } from '../provider.ts';

/** Such a service is one hop away or not there at all. */
const CONNECT_TIMEOUT_MS = 1_000;
const TIMEOUT_MS = 3_000;

export type MetadataAnswer =
  | { readonly status: number; readonly text: string }
  /** Nobody answered. */
  | { readonly status: null; readonly fault: HttpFaultKind };

export async function askMetadata(
  url: URL,
  method: 'GET' | 'PUT',
  headers: Readonly<Record<string, string>>,
  context: BrokerContext,
): Promise<MetadataAnswer> {
  try {
    const { status, body } = await exchangeHttp({
      url,
      method,
      headers: { 'user-agent': `capwrap/${VERSION}`, ...headers },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      timeoutMs: TIMEOUT_MS,
      signal: context.signal,
    });
    return { status, text: body.toString('utf8') };
  } catch (error) {
    if (error instanceof HttpFault) return { status: null, fault: error.kind };
    throw error;
  }
}

/** How a question failed, as the end of a sentence about the host. */
export function metadataFault(answer: MetadataAnswer): string {
  if (answer.status !== null) return `answered ${answer.status}`;
  return answer.fault === 'timeout' || answer.fault === 'connect_timeout'
    ? 'did not answer'
    : "can't be reached";
}
