/** How a request of the AWS SDK travels: once, bounded, and with the raw answer kept for judging what the SDK says about it. */
import { exchangeHttp, type HttpAnswer, HttpFault } from '../../http-exchange.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** STS answers in well under a second; a run must not hang on it. */
const TIMEOUT_MS = 15_000;

/** The fields of the SDK's request that are sent. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** What was seen of one exchange. Times are local. */
export interface Seen {
  sentAt: Date | null;
  receivedAt: Date | null;
  answer: HttpAnswer | null;
  fault: HttpFault | null;
}

/** A request handler for the SDK that fills `seen`; it holds no connection and follows no redirect. */
export function createTransport(options: {
  readonly ca: string | null;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly seen: Seen;
  readonly maxAnswerBytes?: number;
}) {
  const { seen } = options;
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: SdkRequest): Promise<{ response: SdkResponse }> {
      seen.sentAt = options.now();
      try {
        const { status, headers, body } = await exchangeHttp({
          url: new URL(
            `${request.protocol}//${request.hostname}${request.port ? `:${request.port}` : ''}${request.path}`,
          ),
          method: 'POST',
          headers: request.headers,
          body: request.body as string,
          ca: options.ca,
          connectTimeoutMs: CONNECT_TIMEOUT_MS,
          timeoutMs: TIMEOUT_MS,
          signal: options.signal,
          ...(options.maxAnswerBytes !== undefined && { maxAnswerBytes: options.maxAnswerBytes }),
        });
        seen.receivedAt = options.now();
        seen.answer = { status, headers, body };
        return { response: { statusCode: status, headers: { ...headers }, body: new Uint8Array(body) } };
      } catch (error) {
        if (error instanceof HttpFault) seen.fault = error;
        throw error;
      }
    },
  };
}
